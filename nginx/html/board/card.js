// card.js - one order as a card. A card is made anew only where something on it has changed; what has the focus keeps it.

import { h } from "../lib/dom.js";
import { money, span, t, when } from "../lib/words.js";

const PHOTO_AGAIN_MS = 5000;
const drawn = new WeakMap();

/** A list that nobody has read yet costs something, and not nothing. */
export const totalOf = (order, shop) =>
	order.has_chitty && order.total_amount === 0 ? t("board.price_open") : money(order.total_amount, shop.currency);

/** The keys of taps on orders. */
export const keyOf = (id) => `order:${id}`;

/** A card in a column: desk is what the board knows and can (desk.js). */
export function make(order, desk) {
	const card = h("li", { class: "card" });
	update(card, order, desk);
	return card;
}

/** Gives whether it was drawn anew, and may have another height now. */
export function update(card, order, desk) {
	const model = modelOf(order, desk);
	const before = drawn.get(card);
	drawn.set(card, model);
	if (before && isSame(before, model)) {
		drawLeft(card, model);
		return false;
	}
	const focused = card.contains(document.activeElement) ? document.activeElement.dataset.do : null;
	card.className = ["card", order.status, model.isRinging && "ringing", model.isLate && "late", model.tap && "waiting"].filter(Boolean).join(" ");
	card.replaceChildren(...contents(model, desk).filter(Boolean));
	drawLeft(card, model);
	if (order.list_image_url && model.isOpen) drawPhoto(card, order, desk);
	if (focused) (card.querySelector(`[data-do="${focused}"]`) ?? card.querySelector("button"))?.focus({ preventScroll: true });
	return true;
}

function modelOf(order, desk) {
	const now = desk.now();
	const tap = desk.taps.of(keyOf(order.id));
	const isOpen = order.status !== "picked_up" && order.status !== "cancelled";
	return {
		order,
		isOpen,
		now,
		isRinging: desk.isRinging(order),
		isLate: desk.store.isLate(order, now),
		tap: tap ? (tap.isUnsaved ? "unsaved" : "saving") : "",
		goal: tap?.json.status ?? "",
		minutes: desk.minutes(order),
		times: times(order, isOpen, desk, now),
	};
}

/** What is to be said of time: [{text, at}], at where a countdown is wanted. */
function times(order, isOpen, desk, now) {
	const { zone } = desk;
	const due = desk.store.due(order);
	const said = [];
	if (order.scheduled_pickup_time)
		said.push({ text: when(order.scheduled_pickup_time, zone, now), at: isOpen ? Date.parse(order.scheduled_pickup_time) : null, isPickup: true });
	else if (isOpen && !due) said.push({ text: t("board.walk_in"), at: null });
	if (due && due.kind !== "pickup" && isOpen) said.push({ text: t(`board.by_${due.kind}`, { time: when(due.at, zone, now) }), at: due.at });
	return said;
}

const signature = (m) => `${m.isRinging} ${m.isLate} ${m.tap} ${m.goal} ${m.minutes} ${m.times.map((x) => x.text).join("|")}`;
const isSame = (a, b) => a.order === b.order && signature(a) === signature(b);

function drawLeft(card, model) {
	card.querySelectorAll(".left").forEach((element, i) => {
		const { at } = model.times[i];
		const text = at === null ? "" : span(at, model.now);
		if (element.textContent !== text) element.textContent = text;
	});
}

function contents(model, desk) {
	const { order } = model;
	return [
		h("h3", { tabindex: "-1" }, h("span", { class: "number" }, `#${order.id}`), " ", h("bdi", {}, order.customer_name)),
		badges(model),
		h(
			"div",
			{ class: "times" },
			model.times.map((x) => h("p", { class: x.isPickup ? "pickup" : "" }, h("span", {}, x.text), " ", h("span", { class: "left" }))),
		),
		order.items.length > 0 && h("ul", { class: "lines" }, order.items.map(line)),
		order.order_notes && h("p", { class: "notes" }, h("span", { class: "unseen" }, `${t("common.notes")}: `), h("bdi", {}, order.order_notes)),
		order.has_chitty && photo(order),
		h("p", { class: "total" }, `${t("common.total")} `, h("b", {}, totalOf(order, desk.shop))),
		order.status === "cancelled" && cancelled(order),
		model.tap && waiting(model),
		h("div", { class: "steps" }, model.isRinging && button(order, "heard", t("board.heard"), "seen"), steps(model)),
		h("p", { class: "quiet placed" }, t("board.placed", { time: when(order.created_at, desk.zone, model.now) })),
	];
}

function badges({ order, isLate, isRinging }) {
	return h(
		"p",
		{ class: "badges" },
		h("span", { class: `badge ${order.order_type}` }, t(`common.${order.order_type}`)),
		" ",
		order.status === "picked_up" && h("span", { class: "badge" }, t("common.picked_up")),
		isRinging && h("span", { class: "badge new" }, t("board.untouched")),
		" ",
		isLate && h("span", { class: "badge is-late" }, t("common.late")),
	);
}

function line(item) {
	return h(
		"li",
		{},
		h("b", {}, `${item.quantity} ×`),
		" ",
		h("bdi", {}, item.product_name),
		item.special_instructions && h("p", { class: "special" }, h("bdi", {}, item.special_instructions)),
	);
}

function photo(order) {
	return h("button", { type: "button", class: "photo", "data-do": "photo" }, h("span", { class: "photo-words" }, t("board.chitty")), suffix(order));
}

function drawPhoto(card, order, desk) {
	const place = card.querySelector(".photo-words");
	desk.photos.get(order.list_image_url).then(
		(address) => {
			if (place.isConnected) place.replaceChildren(h("img", { src: address, alt: t("board.photo_of", { id: order.id }) }));
		},
		(problem) => {
			if (!place.isConnected) return;
			place.textContent = t("board.photo_again");
			if (problem.isPassing) setTimeout(() => place.isConnected && drawPhoto(card, order, desk), PHOTO_AGAIN_MS);
		},
	);
}

function cancelled(order) {
	const isOwn = order.cancelled_by !== "system";
	return h(
		"div",
		{ class: "cancelled" },
		h("p", { class: "fault" }, t(isOwn ? "board.cancelled_by_shop" : "board.cancelled_by_system")),
		isOwn && order.cancel_reason && h("p", {}, h("bdi", {}, order.cancel_reason)),
	);
}

function waiting({ order, tap }) {
	if (tap === "saving") return h("p", { class: "wait quiet" }, t("board.saving"));
	return h("div", { class: "wait note" }, h("p", {}, t("board.not_saved")), button(order, "discard", t("board.discard")));
}

const suffix = (order) => h("span", { class: "unseen" }, ` ${t("board.order", { id: order.id })}`);

function button(order, what, words, kind = "", isOff = false) {
	return h("button", { type: "button", class: kind, "data-do": what, "aria-disabled": isOff && "true" }, words, suffix(order));
}

/** The next step first; while one has no answer yet, none can be taken. */
function steps({ order, minutes, isOpen, tap }) {
	const isOff = tap !== "";
	const step = (status, kind) =>
		button(order, status, status === "confirmed" && minutes ? t("board.confirm_minutes", { n: minutes }) : t(`board.next_${status}`), kind, isOff);
	const next = { pending: ["confirmed"], confirmed: ["preparing", "ready"], preparing: ["ready"], ready: ["picked_up"] }[order.status] ?? [];
	return [
		next.map((status, i) => step(status, i === 0 ? "go step" : "step")),
		isOpen && order.status !== "ready" && button(order, "minutes", t("board.minutes"), "", isOff),
		isOpen && order.has_chitty && button(order, "price", t("board.price"), "", isOff),
		button(order, "print", t("board.print")),
		isOpen && button(order, "cancel", t("board.cancel"), "bad", isOff),
	];
}

/** An order that was announced and is not read yet. */
export function makeAnnounced(message) {
	return h(
		"li",
		{ class: "card ringing" },
		h("h3", { tabindex: "-1" }, h("span", { class: "number" }, `#${message.order_id}`), " ", h("bdi", {}, message.customer_name)),
		h("p", { class: "quiet" }, t("board.announced")),
		h("button", { type: "button", class: "go", "data-do": "heard" }, t("board.heard")),
	);
}
