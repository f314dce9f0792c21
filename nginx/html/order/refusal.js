// refusal.js - what to say of a refused order and what to offer instead. Pure: gives names of words with their values, and offers; the page makes text
// and buttons of them. An offer: {kind: "time", time} | {kind: "quantity", product_id, quantity, name} | {kind: "remove", product_id, name} |
// {kind: "no_photo"} | {kind: "later"} | {kind: "sign_in"} | {kind: "shops"}.

const TIMES = new Set(["outside_hours", "too_soon", "too_far", "slot_full"]);

/** {say: [{word, values, time}, …], offers}. How a time is shown is the page's. lines: as they were sent, with names; shop: whose pause it may be. */
export function explain(problem, lines, shop) {
	const { code, members } = problem;
	if (code === "out_of_stock") return shortages(members.items ?? [], lines);
	if (TIMES.has(code)) return alternatives(code, members.alternatives ?? []);
	if (code === "shop_closed") return closed(members.opens_at);
	if (code === "shop_paused") return paused(members.resumes_at, shop);
	if (code === "validation_failed") return faults(members.errors ?? [], lines);
	if (code === "not_found") return { say: [{ word: "order.refused.no_shop" }], offers: [{ kind: "shops" }] };
	if (code === "forbidden") return { say: [{ word: "order.refused.not_customer" }], offers: [{ kind: "sign_in" }] };
	return { say: [], offers: [] };
}

function shortages(items, lines) {
	const say = [];
	const offers = [];
	for (const { product_id, available } of items) {
		const name = lines.find((line) => line.product_id === product_id)?.name ?? "";
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

function paused(time, shop) {
	const say = [{ word: "order.refused.paused", time }];
	if (shop?.pause_reason) say.push({ word: "order.pause_reason", values: { reason: shop.pause_reason } });
	if (!shop?.pre_orders_while_paused) return { say, offers: [] };
	return { say, offers: [{ kind: "time", time }, { kind: "later" }] };
}

/** Every fault in its own words; one that has none is told as the server does. */
function faults(errors, lines) {
	const all = errors.map((error) => fault(error, lines));
	return { say: all.map(({ offer, ...said }) => said), offers: all.flatMap(({ offer }) => offer ?? []) };
}

function fault({ field, message }, lines) {
	const [, index, member] = /^items\[(\d+)\](?:\.(\w+))?/.exec(field) ?? [];
	const line = index === undefined ? undefined : lines[index];
	if (line) return faultOfLine(line, member, { field, message });
	switch (field) {
	case "scheduled_pickup_time":
		return { word: "order.refused.past", offer: { kind: "later" } };
	case "list_image_url":
		return { word: "order.refused.photo", offer: { kind: "no_photo" } };
	case "order_notes":
		return { word: "order.refused.notes" };
	case "items":
		return { word: "order.refused.items" };
	default:
		return { word: "order.refused.field", values: { field, message } };
	}
}

function faultOfLine({ product_id, name }, member, values) {
	if (member === "product_id") return { word: "order.refused.off_sale", values: { name }, offer: { kind: "remove", product_id, name } };
	if (member === "special_instructions") return { word: "order.refused.wish", values: { name } };
	return { word: "order.refused.field", values };
}
