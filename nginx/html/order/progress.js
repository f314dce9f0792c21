// progress.js - one order on its way, live.

import { h, keyed } from "../lib/dom.js";
import { clock, t } from "../lib/words.js";
import { priceOf } from "./mine.js";
import { askPermission, isPossible, permission } from "./notify.js";
import { isOpen, steps } from "./orderbook.js";
import { signInFirst } from "./sign.js";
import { amount, button, named, times, trouble, watch, zoneOfShop } from "./ui.js";

const EVERY_S = 60;

export function progressView(app, id) {
	const name = t("order.order", { id });
	if (!app.session.token) return signInFirst(app, name);
	const remark = h("p", { class: "note", hidden: true });
	const head = h("p", { class: "status" });
	const words = h("div", { class: "stack" });
	const list = h("ol", { class: "steps" });
	const bell = h("div");
	const live = h("p", { class: "quiet", role: "status" });
	const details = h("section", { class: "section stack", "aria-label": t("order.details") });
	const strip = trouble(() => reading.now());
	const photo = { path: null, image: h("img", { class: "photo", alt: t("order.photo_of_list"), hidden: true }) };

	const reading = watch(() => app.readOrder(id), EVERY_S, strip.show);

	function draw() {
		const order = app.book.of(id);
		drawBell();
		drawLive();
		remark.hidden = !app.remarkOf(id);
		remark.textContent = app.remarkOf(id) ?? "";
		if (!order) return;
		const shop = app.data.shop(order.shop_id);
		head.className = `status ${order.status}`;
		if (head.textContent !== t(`order.status.${order.status}`)) head.textContent = t(`order.status.${order.status}`);
		words.replaceChildren(...explanation(order, shop).map((text) => h("p", {}, text)));
		keyed(list, steps(order), (step) => step.status, makeStep, fillStep);
		drawDetails(details, order, shop, photo.image);
		showPhoto(order);
	}

	async function showPhoto({ list_image_url }) {
		if (!list_image_url || photo.path === list_image_url) return;
		photo.path = list_image_url;
		const address = await app.session.photo(list_image_url).catch(() => (photo.path = null));
		if (!address) return;
		photo.image.src = address;
		photo.image.hidden = false;
	}

	function drawBell() {
		const order = app.book.of(id);
		const state = permission();
		const wanted = !order || !isOpen(order) || order.status === "ready" || !isPossible() ? "" : state;
		if (bell.dataset.state === wanted) return;
		bell.dataset.state = wanted;
		bell.replaceChildren(...(wanted === "default" ? [button(t("order.tell_me"), async () => { await askPermission(); drawBell(); })]
			: wanted ? [h("p", { class: "quiet" }, t(wanted === "granted" ? "order.will_tell" : "order.wont_tell"))] : []));
	}

	function drawLive() {
		const state = app.live?.state ?? "connecting";
		const read = app.readAt.get(id);
		const text = state === "live" ? t("order.live") : t("order.not_live", { time: read ? clock(read, zoneOfShop().name) : "–" });
		if (live.textContent !== text) live.textContent = text;
	}

	draw();
	const element = h("div", { class: "stack" }, h("p", {}, h("a", { href: "#/orders" }, t("order.mine"))), h("h1", { tabindex: "-1" }, name), remark, strip.element,
		head, words, list, bell, live, details);
	return {
		element, ordersChanged: draw, liveChanged: drawLive,
		title() {
			const order = app.book.of(id);
			return order ? `${t(`order.status.${order.status}`)} · ${name}` : name;
		},
		leave() {
			reading.stop();
			if (photo.image.src) URL.revokeObjectURL(photo.image.src);
		},
	};
}

/** What its status means for whoever waits. */
function explanation(order, shop) {
	const found = [];
	const minutes = order.estimated_preparation_minutes;
	if (order.status === "cancelled") {
		const isLate = order.cancelled_by === "system" && order.cancel_reason === "not_accepted_in_time";
		if (isLate) found.push(t("order.not_accepted"));
		else if (order.cancel_reason) found.push(t("order.cancel_reason", { reason: order.cancel_reason }));
		return found;
	}
	if (order.status === "pending") found.push(order.accept_by ? t("order.waits_until", { time: times(order.accept_by, shop) }) : t("order.waits"));
	if (minutes && (order.status === "confirmed" || order.status === "preparing")) found.push(t("order.minutes", { n: minutes }));
	if (order.scheduled_pickup_time && isOpen(order)) found.push(t("order.pickup_at", { time: times(order.scheduled_pickup_time, shop) }));
	return found;
}

function makeStep(step) {
	return fillStep(h("li"), step);
}
function fillStep(element, { status, state }) {
	const text = t(`order.step.${status}`);
	element.className = state;
	if (state === "now") element.setAttribute("aria-current", "step");
	else element.removeAttribute("aria-current");
	element.replaceChildren(text, h("span", { class: "unseen" }, state === "done" ? ` (${t("order.step_done")})` : ""));
	return element;
}

function drawDetails(details, order, shop, image) {
	// The same again is left alone, so that nobody's focus is lost.
	const key = `${order.version} ${shop?.updated_at}`;
	if (details.dataset.key === key) return;
	details.dataset.key = key;
	details.replaceChildren(
		h("h2", {}, t("order.details")),
		h("p", {}, shop ? h("a", { href: `#/shop/${order.shop_id}` }, named(shop.name)) : t("order.shop", { id: order.shop_id }), h("span", { class: "quiet" }, " · ", times(order.created_at, shop))),
		...(shop?.address ? [h("p", { class: "quiet lines" }, named(shop.address))] : []),
		h("ul", { class: "menu" }, order.items.map((item) => h("li", { class: "product" }, h("div", { class: "words" }, h("h3", {}, `${item.quantity} × `, named(item.product_name)),
			item.special_instructions && h("p", { class: "quiet lines" }, named(item.special_instructions))), h("span", {}, amount(item.price_at_time_of_order * item.quantity, shop))))),
		...(order.has_chitty ? [h("h3", {}, t("order.photo")), image] : []),
		...(order.order_notes ? [h("h3", {}, t("common.notes")), h("p", { class: "lines" }, named(order.order_notes))] : []),
		h("p", { class: "sum" }, t("common.total"), " ", h("strong", {}, priceOf(order, shop))),
	);
}
