// refusal.js - what to say of a refused order and what to offer instead. Pure: gives names of words with their values, and offers; the page makes text and buttons of them.
// An offer: {kind: "time", time} | {kind: "quantity", product_id, quantity} | {kind: "remove", product_id} | {kind: "no_photo"} | {kind: "later"} | {kind: "sign_in"} |
// {kind: "shops"}.

const TIMES = new Set(["outside_hours", "too_soon", "too_far", "slot_full"]);

/** {say: [{word, values}, …], offers}. Values of the kind time are left to the page's clock. basket: as it was sent; shop: where its pause is told. */
export function explain(problem, basket, shop) {
	const { code, members } = problem;
	if (code === "out_of_stock") return shortages(members.items ?? [], basket);
	if (TIMES.has(code)) return alternatives(code, members.alternatives ?? []);
	if (code === "shop_closed") return closed(members.opens_at);
	if (code === "shop_paused") return paused(members.resumes_at, basket, shop);
	if (code === "validation_failed") return faults(members.errors ?? [], basket);
	if (code === "not_found") return { say: [{ word: "order.refused.no_shop" }], offers: [{ kind: "shops" }] };
	if (code === "forbidden") return { say: [{ word: "order.refused.not_customer" }], offers: [{ kind: "sign_in" }] };
	return { say: [], offers: [] };
}

function shortages(items, basket) {
	const say = [];
	const offers = [];
	for (const { product_id, available } of items) {
		const name = nameOf(basket, product_id);
		say.push({ word: available ? "order.refused.short" : "order.refused.none", values: { name, n: available } });
		offers.push(available ? { kind: "quantity", product_id, quantity: available, name } : { kind: "remove", product_id, name });
	}
	return { say, offers };
}

function alternatives(code, times) {
	const offers = times.map((time) => ({ kind: "time", time }));
	return { say: [{ word: `order.refused.${code}` }, { word: times.length ? "order.refused.instead" : "order.refused.no_time" }], offers };
}

function closed(time) {
	if (!time) return { say: [{ word: "order.refused.closed" }], offers: [{ kind: "later" }] };
	return { say: [{ word: "order.refused.closed_until", time }], offers: [{ kind: "time", time }, { kind: "later" }] };
}

function paused(time, basket, shop) {
	const say = [{ word: "order.refused.paused", time }];
	if (shop?.pause_reason) say.push({ word: "order.pause_reason", values: { reason: shop.pause_reason } });
	if (!shop?.pre_orders_while_paused) return { say, offers: [] };
	return { say, offers: [{ kind: "time", time }, { kind: "later" }] };
}

const FIELDS = {
	order_notes: "order.refused.notes",
	items: "order.refused.items",
};

/** Every fault in its own words; one that has none is told as the server does. */
function faults(errors, basket) {
	const say = [];
	const offers = [];
	for (const { field, message } of errors) {
		const [, index, member] = /^items\[(\d+)\](?:\.(\w+))?/.exec(field) ?? [];
		const line = index === undefined ? undefined : basket.lines[index];
		if (line && member === "product_id") {
			say.push({ word: "order.refused.off_sale", values: { name: line.name } });
			offers.push({ kind: "remove", product_id: line.product_id, name: line.name });
		} else if (line && member === "special_instructions") {
			say.push({ word: "order.refused.wish", values: { name: line.name } });
		} else if (field === "scheduled_pickup_time") {
			say.push({ word: "order.refused.past" });
			offers.push({ kind: "later" });
		} else if (field === "list_image_url") {
			say.push({ word: "order.refused.photo" });
			offers.push({ kind: "no_photo" });
		} else if (FIELDS[field]) {
			say.push({ word: FIELDS[field] });
		} else {
			say.push({ word: "order.refused.field", values: { field, message } });
		}
	}
	return { say, offers };
}

const nameOf = (basket, productId) => basket.lines.find((line) => line.product_id === productId)?.name ?? "";
