// mine.js - my orders, newest first, as they are by now.

import { h, keyed } from "../lib/dom.js";
import { isolated, t } from "../lib/words.js";
import { amount, button, named, times, trouble, watch } from "./ui.js";

const EVERY_S = 60;
const PAGE = 30;

export class MineView {
	#list = h("ul", { class: "cards" });
	#empty = h("p", { class: "quiet" }, t("common.loading"));
	#strip = trouble(() => this.#reading.now());
	#more = button(t("order.more_orders"), () => this.#readMore(), { hidden: true });
	#next = null;
	#isRead = false;
	#reading;

	constructor(app) {
		this.app = app;
		this.element = h("div", { class: "stack" }, h("h1", { tabindex: "-1" }, t("order.mine")), this.#strip.element, this.#empty, this.#list,
			h("p", {}, this.#more));
		this.#reading = watch(() => this.#read(), EVERY_S, (problem) => {
			this.#strip.show(problem);
			if (problem && !this.#isRead) this.#empty.textContent = "";
		});
		this.ordersChanged();
	}

	title() {
		return t("order.mine");
	}
	leave() {
		this.#reading.stop();
	}

	async #read() {
		const answer = await this.app.session.call("GET", `/orders/me?limit=${PAGE}`);
		if (!this.#isRead) this.#next = answer.next;
		this.#isRead = true;
		await this.app.takeOrders(answer.value);
		this.ordersChanged();
	}

	async #readMore() {
		try {
			const answer = await this.app.session.call("GET", this.#next);
			this.#next = answer.next;
			await this.app.takeOrders(answer.value);
			this.ordersChanged();
		} catch (problem) {
			this.#strip.show(problem);
		}
	}

	ordersChanged() {
		const orders = this.app.book.list();
		this.#more.hidden = !this.#next;
		this.#empty.hidden = orders.length > 0;
		if (this.#isRead) this.#empty.textContent = t("order.no_orders");
		keyed(this.#list, orders, (order) => order.id, (order) => makeCard(this.app, order), (card, order) => fillCard(this.app, card, order));
	}
}

function makeCard(app, order) {
	const card = h("li", { class: "card" }, h("h2", {}, h("a", { href: `#/order/${order.id}` }, t("order.order", { id: order.id }))));
	fillCard(app, card, order);
	return card;
}

function fillCard(app, card, order) {
	if (card.version === order.version) return;
	card.version = order.version;
	const shop = app.data.shop(order.shop_id);
	for (const old of [...card.children].slice(1)) old.remove();
	card.append(
		h("span", { class: `state ${order.status}` }, t(`order.status.${order.status}`)),
		h("p", {}, named(shop?.name ?? t("order.shop", { id: order.shop_id })), " · ", times(order.created_at, shop)),
		h("p", { class: "quiet" }, summary(order), " · ", priceOf(order, shop)),
	);
}

/** Each name by itself, else one that is written from right to left would take the number of the next. */
export function summary(order) {
	const parts = order.items.slice(0, 3).map((item) => `${item.quantity} × ${isolated(item.product_name)}`);
	if (order.items.length > 3) parts.push("…");
	if (order.has_chitty) parts.push(t("order.photo"));
	return parts.join(", ");
}

/** A list that the shop has not read yet has no price. */
export const priceOf = (order, shop) => (order.has_chitty && order.total_amount === 0 ? t("order.price_open") : amount(order.total_amount, shop));
