// progress.js - one order on its way, live.

import { h, keyed } from "../lib/dom.js";
import { clock, t } from "../lib/words.js";
import { priceOf } from "./mine.js";
import { askPermission, isPossible, permission } from "./notify.js";
import { isOpen, steps } from "./orderbook.js";
import { amount, button, named, times, trouble, watch, zoneOfShop } from "./ui.js";

const EVERY_S = 60;

export class ProgressView {
	#remark = h("p", { class: "note", hidden: true });
	#status = h("p", { class: "status" });
	#words = h("div", { class: "stack" });
	#steps = h("ol", { class: "steps" });
	#bell = h("div");
	#live = h("p", { class: "quiet", role: "status" });
	#details = h("section", { class: "section stack", "aria-label": t("order.details") });
	#image = h("img", { class: "photo", alt: t("order.photo_of_list"), hidden: true });
	#strip = trouble(() => this.#reading.now());
	#photo = null;
	#reading;

	constructor(app, id) {
		Object.assign(this, { app, id, name: t("order.order", { id }) });
		this.element = h("div", { class: "stack" }, h("p", {}, h("a", { href: "#/orders" }, t("order.mine"))), h("h1", { tabindex: "-1" }, this.name),
			this.#remark, this.#strip.element, this.#status, this.#words, this.#steps, this.#bell, this.#live, this.#details);
		this.#reading = watch(() => app.readOrder(id), EVERY_S, this.#strip.show);
		this.ordersChanged();
	}

	title() {
		const order = this.app.book.of(this.id);
		return order ? `${t(`order.status.${order.status}`)} · ${this.name}` : this.name;
	}
	leave() {
		this.#reading.stop();
		if (this.#image.src) URL.revokeObjectURL(this.#image.src);
	}

	ordersChanged() {
		const order = this.app.book.of(this.id);
		this.#drawBell(order);
		this.liveChanged();
		const remark = this.app.remarks.get(this.id);
		this.#remark.hidden = !remark;
		this.#remark.textContent = remark ?? "";
		if (order) this.#draw(order, this.app.data.shop(order.shop_id));
	}

	#draw(order, shop) {
		this.#status.className = `status ${order.status}`;
		this.#status.textContent = t(`order.status.${order.status}`);
		this.#words.replaceChildren(...explanation(order, shop).map((text) => h("p", {}, text)));
		keyed(this.#steps, steps(order), (step) => step.status, makeStep, fillStep);
		drawDetails(this.#details, order, shop, this.#image);
		this.#showPhoto(order.list_image_url);
	}

	async #showPhoto(path) {
		if (!path || this.#photo === path) return;
		this.#photo = path;
		const address = await this.app.session.photo(path).catch(() => null);
		if (!address) {
			this.#photo = null;
			return;
		}
		this.#image.src = address;
		this.#image.hidden = false;
	}

	/** Offers to be told, as long as there is something to be told of. */
	#drawBell(order) {
		const isOver = order && (!isOpen(order) || order.status === "ready");
		const wanted = isOver || !isPossible() ? "" : permission();
		if (this.#bell.dataset.state === wanted) return;
		this.#bell.dataset.state = wanted;
		const words = { granted: "order.will_tell", denied: "order.wont_tell" }[wanted];
		const ask = () => askPermission().then(() => this.#drawBell(this.app.book.of(this.id)));
		this.#bell.replaceChildren(...(wanted === "default" ? [button(t("order.tell_me"), ask)] : words ? [h("p", { class: "quiet" }, t(words))] : []));
	}

	liveChanged() {
		const at = this.app.readAt.get(this.id);
		const text = this.app.live?.state === "live" ? t("order.live") : t("order.not_live", { time: at ? clock(at, zoneOfShop().name) : "–" });
		if (this.#live.textContent !== text) this.#live.textContent = text;
	}
}

/** What its status means for whoever waits. */
function explanation(order, shop) {
	if (order.status === "cancelled") return whyCancelled(order);
	const found = [];
	const minutes = order.estimated_preparation_minutes;
	if (order.status === "pending") found.push(order.accept_by ? t("order.waits_until", { time: times(order.accept_by, shop) }) : t("order.waits"));
	if (minutes && (order.status === "confirmed" || order.status === "preparing")) found.push(t("order.minutes", { n: minutes }));
	if (order.scheduled_pickup_time && isOpen(order)) found.push(t("order.pickup_at", { time: times(order.scheduled_pickup_time, shop) }));
	return found;
}

function whyCancelled({ cancelled_by, cancel_reason }) {
	if (cancelled_by === "system" && cancel_reason === "not_accepted_in_time") return [t("order.not_accepted")];
	return cancel_reason ? [t("order.cancel_reason", { reason: cancel_reason })] : [];
}

function makeStep(step) {
	const element = h("li");
	fillStep(element, step);
	return element;
}
function fillStep(element, { status, state }) {
	element.className = state;
	if (state === "now") element.setAttribute("aria-current", "step");
	else element.removeAttribute("aria-current");
	element.replaceChildren(t(`order.step.${status}`), h("span", { class: "unseen" }, state === "done" ? ` (${t("order.step_done")})` : ""));
}

function drawDetails(details, order, shop, image) {
	// The same again is left alone, so that nobody's focus is lost.
	const key = `${order.version} ${shop?.updated_at}`;
	if (details.dataset.key === key) return;
	details.dataset.key = key;
	const name = shop ? h("a", { href: `#/shop/${order.shop_id}` }, named(shop.name)) : t("order.shop", { id: order.shop_id });
	details.replaceChildren(
		h("h2", {}, t("order.details")),
		h("p", {}, name, h("span", { class: "quiet" }, " · ", times(order.created_at, shop))),
		...(shop?.address ? [h("p", { class: "quiet lines" }, named(shop.address))] : []),
		h("ul", { class: "menu" }, order.items.map((item) => lineOf(item, shop))),
		...(order.has_chitty ? [h("h3", {}, t("order.photo")), image] : []),
		...(order.order_notes ? [h("h3", {}, t("common.notes")), h("p", { class: "lines" }, named(order.order_notes))] : []),
		h("p", { class: "sum" }, t("common.total"), " ", h("strong", {}, priceOf(order, shop))),
	);
}

function lineOf({ quantity, product_name, special_instructions, price_at_time_of_order }, shop) {
	const wish = special_instructions && h("p", { class: "quiet lines" }, named(special_instructions));
	const price = amount(price_at_time_of_order * quantity, shop);
	return h("li", { class: "product" }, h("div", { class: "words" }, h("h3", {}, `${quantity} × `, named(product_name)), wish), h("span", {}, price));
}
