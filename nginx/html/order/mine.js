// mine.js - my orders, newest first, as they are by now.

import { h, keyed } from "../lib/dom.js";
import { t } from "../lib/words.js";
import { signInFirst } from "./sign.js";
import { amount, button, named, times, trouble, watch } from "./ui.js";

const EVERY_S = 60;
const PAGE = 30;

export function mineView(app) {
	if (!app.session.token) return signInFirst(app, t("order.mine"));
	const list = h("ul", { class: "cards" });
	const empty = h("p", { class: "quiet" }, t("common.loading"));
	const strip = trouble(() => reading.now());
	const more = button(t("order.more_orders"), () => readMore().then(strip.show.bind(null, null), strip.show), { hidden: true });
	let next = null;
	let isRead = false;

	async function take(answer) {
		await Promise.all([...new Set(answer.value.map((order) => order.shop_id))].map((id) => app.data.known(id)));
		answer.value.forEach((order) => app.book.take(order));
	}
	async function readMore() {
		const answer = await app.session.call("GET", next);
		await take(answer);
		next = answer.next;
		draw();
	}
	const reading = watch(async () => {
		const answer = await app.session.call("GET", `/orders/me?limit=${PAGE}`);
		await take(answer);
		if (!isRead) next = answer.next;
		isRead = true;
		draw();
	}, EVERY_S, (problem) => {
		strip.show(problem);
		if (problem && !isRead) empty.textContent = "";
	});

	function draw() {
		const orders = app.book.list();
		more.hidden = !next;
		empty.hidden = orders.length > 0;
		if (isRead) empty.textContent = t("order.no_orders");
		keyed(list, orders, (order) => order.id, (order) => fill(app, h("li", { class: "card" }), order), (card, order) => fill(app, card, order));
	}
	const element = h("div", { class: "stack" }, h("h1", { tabindex: "-1" }, t("order.mine")), strip.element, empty, list, h("p", {}, more));
	return { element, title: () => t("order.mine"), leave: reading.stop, ordersChanged: draw };
}

function fill(app, card, order) {
	if (card.version === order.version) return card;
	card.version = order.version;
	const shop = app.data.shop(order.shop_id);
	const link = card.querySelector("a") ?? h("a", { href: `#/order/${order.id}` });
	link.textContent = t("order.order", { id: order.id });
	if (!link.parentElement) card.append(h("h2", {}, link));
	for (const old of [...card.children].slice(1)) old.remove();
	card.append(
		h("span", { class: `state ${order.status}` }, t(`common.${order.status}`)),
		h("p", {}, named(shop?.name ?? t("order.shop", { id: order.shop_id })), " · ", times(order.created_at, shop)),
		h("p", { class: "quiet" }, summary(order), " · ", priceOf(order, shop)),
	);
	return card;
}

const summary = (order) => [...order.items.slice(0, 3).map((item) => `${item.quantity} × ${item.product_name}`), order.items.length > 3 && "…", order.has_chitty && t("order.photo")]
	.filter(Boolean).join(", ");

/** A list that the shop has not read yet has no price. */
export const priceOf = (order, shop) => (order.has_chitty && order.total_amount === 0 ? t("order.price_open") : amount(order.total_amount, shop));
