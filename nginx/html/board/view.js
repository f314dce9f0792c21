// view.js - draws a desk: state, alerts, counts, columns; and says what taps on cards mean.

import { byId, h, keyed } from "../lib/dom.js";
import { clock, dateOf, t, when } from "../lib/words.js";
import { make, makeAnnounced, update } from "./card.js";
import { newsOf } from "./desk.js";
import { Guard } from "./inputs.js";
import { OPEN } from "./lists.js";
import { isFiltering, NO_FILTER } from "./store.js";

const WARN_MS = 30 * 60000;
const COLUMNS = [...OPEN, "finished"];
const nameOf = (column) => t(column === "finished" ? "board.finished" : `common.${column}`);

export class View {
	#desk;
	#parts;
	#lists = {};
	#heads = {};
	#shown = "";
	#rang = new Set();
	#kind = "";
	/** The order that somebody here took a step with last. */
	#acted = null;
	#restTimer = 0;
	#controller = new AbortController();

	/** parts: {ring, wake, badge, renew(), more()}: the page's sound, screen, icon; what signs in anew; more.js as it is there or comes. */
	constructor(desk, parts) {
		this.#desk = desk;
		this.#parts = parts;
		this.guard = new Guard((ms) => this.#rest(ms));
		this.#build();
		const { signal } = this.#controller;
		byId("columns").addEventListener("click", (event) => this.#clicked(event), { signal });
		// A key that is held down is one tap.
		byId("columns").addEventListener("keydown", (event) => event.repeat && event.key === "Enter" && event.preventDefault(), { signal });
		// What lies beneath a dialog takes no second half of a double tap on it.
		document.addEventListener("close", () => this.guard.tapped(), { capture: true, signal });
		byId("filters").addEventListener("input", () => this.#filter(), { signal });
		byId("filters").addEventListener("submit", (event) => event.preventDefault(), { signal });
		desk.addEventListener("change", () => this.draw());
		desk.addEventListener("say", ({ detail }) => say(detail));
		parts.ring.addEventListener("state", desk.changed);
		parts.wake.addEventListener("state", desk.changed);
		// What was asked for early comes before the next frame.
		requestAnimationFrame(desk.changed);
	}

	close() {
		this.#controller.abort();
		this.#parts.ring.removeEventListener("state", this.#desk.changed);
		this.#parts.wake.removeEventListener("state", this.#desk.changed);
		byId("columns").replaceChildren();
		byId("counts").replaceChildren();
		byId("alerts").replaceChildren();
	}

	#build() {
		const columns = COLUMNS.map((name) => {
			const list = h("ol", { class: "cards" });
			const count = h("span", { class: "count" });
			const head = [`${nameOf(name)} `, count];
			const empty = h("p", { class: "quiet empty" });
			this.#lists[name] = list;
			this.#heads[name] = { count, empty, link: h("b") };
			const title = h("h2", { id: `column-${name}`, tabindex: name !== "finished" && "-1" }, head);
			return name === "finished"
				? h("details", { class: "column finished", ontoggle: () => this.draw() }, h("summary", {}, title), empty, list)
				: h("section", { class: `column ${name}`, "aria-labelledby": `column-${name}` }, title, empty, list);
		});
		byId("columns").replaceChildren(...columns);
		byId("counts").replaceChildren(
			...COLUMNS.map((name) => h("a", { href: `#column-${name}`, class: name }, `${nameOf(name)} `, this.#heads[name].link)),
		);
	}

	draw() {
		const desk = this.#desk;
		const seen = desk.store.view(desk.now(), desk.filter, (at) => dateOf(at, desk.zone));
		const live = desk.liveness();
		this.#drawBar(live, seen);
		this.#drawAlerts(live, seen);
		this.#drawColumns(seen);
		this.#ring(seen, live);
	}

	#drawBar(live, seen) {
		const { shop } = this.#desk;
		put(byId("shop-name"), shop.name);
		put(
			byId("shop-state"),
			shop.is_open
				? t("board.shop_open")
				: shop.opens_at
					? t("board.shop_closed", { time: when(shop.opens_at, this.#desk.zone, this.#desk.now()) })
					: t("board.shop_closed_for_now"),
		);
		byId("live").dataset.kind = live.kind;
		put(byId("live-kind"), t(`board.live_${live.kind}`));
		const seconds = Math.floor((live.age ?? 0) / 1000);
		put(
			byId("live-age"),
			live.age === null ? "" : seconds < 120 ? t("board.age", { n: seconds }) : t("board.age_minutes", { n: Math.floor(seconds / 60) }),
		);
		byId("pause").hidden = byId("products").hidden = !this.#desk.isOwner;
		if (live.kind !== this.#kind && this.#kind && [live.kind, this.#kind].some((kind) => kind === "stale" || kind === "offline"))
			say(t(`board.live_${live.kind}`));
		this.#kind = live.kind;
		for (const name of COLUMNS) {
			const n = seen.columns[name].length + (name === "pending" ? seen.announced.length : 0);
			put(this.#heads[name].count, String(n));
			put(this.#heads[name].link, String(n));
		}
	}

	#drawAlerts(live, seen) {
		keyed(
			byId("alerts"),
			this.#alerts(live, seen),
			(alert) => alert.key,
			makeAlert,
			(element, alert) => {
				put(element.querySelector("span"), alert.text);
				const button = element.querySelector("button");
				if (button) Object.assign(button, { textContent: alert.words, onclick: alert.act, hidden: !alert.words });
			},
		);
	}

	/** What has to be said, the most urgent first: {key, kind, text, words?, act?}. */
	#alerts(live, seen) {
		return [
			...this.#alertsOfOrders(live, seen),
			...this.#alertsOfPage(),
			...this.#alertsOfShop(),
			...this.#desk.notices.map((notice) => ({ ...notice, kind: "", words: t("common.close"), act: () => this.#dismiss(notice) })),
			seen.hidden > 0 && {
				key: "filter",
				kind: "",
				text: t("board.filter_hides", { n: seen.hidden }),
				words: t("board.filter_clear"),
				act: () => this.#clearFilter(),
			},
			!this.#parts.wake.isAwake && { key: "sleepy", kind: "small", text: t("board.sleepy") },
		].filter(Boolean);
	}

	/** What waits for somebody, and whether what is shown can be relied on. */
	#alertsOfOrders(live, seen) {
		const isDoubtful = live.kind === "stale" || live.kind === "offline";
		return [
			seen.ringing.size > 0 && {
				key: "ringing",
				kind: "news",
				text: t("board.ringing", { n: seen.ringing.size }),
				words: t("board.hush"),
				act: () => this.#desk.touch([...seen.ringing]),
			},
			live.age === null && live.kind === "offline" && { key: "unread", kind: "bad", text: t("board.unread") },
			live.age !== null && isDoubtful && { key: "stale", kind: "bad", text: t("board.stale", { time: clock(live.freshAt, this.#desk.zone) }) },
		];
	}

	/** Whether it can be heard, and for how long somebody is signed in. */
	#alertsOfPage() {
		const { ring, renew } = this.#parts;
		const endsAt = this.#desk.session.who?.ends_at ?? Infinity;
		return [
			ring.state === "blocked" && { key: "sound", kind: "bad", text: t("board.sound_blocked"), words: t("board.sound_on"), act: () => ring.unlock() },
			ring.state === "none" && { key: "sound", kind: "bad", text: t("board.sound_none") },
			endsAt - Date.now() < WARN_MS && {
				key: "expires",
				kind: "",
				text: t("board.expires", { time: clock(endsAt, this.#desk.zone) }),
				words: t("board.renew"),
				act: renew,
			},
		];
	}

	#alertsOfShop() {
		const desk = this.#desk;
		const tap = desk.taps.of("shop");
		const { paused_until } = desk.shop;
		return [
			tap && {
				key: "saving",
				kind: "",
				text: t(tap.isUnsaved ? "board.not_saved" : "board.saving"),
				words: t("board.discard"),
				act: () => desk.taps.discard("shop"),
			},
			paused_until &&
				Date.parse(paused_until) > desk.now() && {
					key: "paused",
					kind: "",
					text: t("board.paused", { time: when(paused_until, desk.zone, desk.now()) }),
					words: desk.isOwner && t("board.end_pause"),
					act: () => desk.changeShop({ paused_until: null }),
				},
		];
	}

	#dismiss(notice) {
		this.#desk.notices = this.#desk.notices.filter((n) => n.key !== notice.key);
		this.#desk.changed();
		byId("main").focus({ preventScroll: true });
	}

	#drawColumns({ columns, announced }) {
		const desk = this.#desk;
		const place = placeOfFocus(this.#acted);
		let isRedrawn = false;
		for (const name of COLUMNS) {
			const list = this.#lists[name];
			const isShut = name === "finished" && !list.parentElement.open;
			const items = isShut ? [] : [...(name === "pending" ? announced : []), ...columns[name]];
			keyed(
				list,
				items,
				(item) => (item.order_id ? `announced-${item.order_id}` : item.id),
				(item) => makeAny(item, desk),
				(card, item) => {
					if (!item.order_id && update(card, item, desk)) isRedrawn = true;
				},
			);
			put(
				this.#heads[name].empty,
				items.length || isShut
					? ""
					: t(!desk.store.isComplete ? "common.loading" : isFiltering(desk.filter) ? "board.no_such_orders" : "board.no_orders"),
			);
		}
		const shown = [byId("alerts"), ...OPEN.map((name) => this.#lists[name])].map(keysIn).join("|");
		if (shown !== this.#shown || isRedrawn) this.guard.shifted();
		this.#shown = shown;
		if (place) place.restore();
	}

	#ring({ ringing, waiting, announced }, live) {
		const { ring, badge } = this.#parts;
		ring.play(ringing.size ? "new" : null);
		document.documentElement.dataset.ringing = ringing.size ? "new" : "";
		badge.show(waiting, this.#desk.shop.name, live.kind === "stale" || live.kind === "offline");
		const news = [...ringing].filter((id) => !this.#rang.has(id));
		if (news.length) say(newsOf(this.#desk, news, announced));
		this.#rang = ringing;
	}

	#rest(ms) {
		byId("columns").classList.add("resting");
		clearTimeout(this.#restTimer);
		this.#restTimer = setTimeout(() => byId("columns").classList.remove("resting"), ms);
	}

	#filter() {
		const form = byId("filters");
		this.#desk.filter = { type: form.elements.type.value, when: form.elements.when.value, text: form.elements.text.value };
		this.#desk.changed();
	}

	#clearFilter() {
		byId("filters").reset();
		this.#desk.filter = { ...NO_FILTER };
		this.#desk.changed();
		byId("filters").elements.type.focus();
	}

	/** A tap anywhere on a card touches it; one on a button does what the button says. */
	#clicked(event) {
		const card = event.target.closest(".card");
		if (!card) return;
		// A dialog that was shut is told of, and goes, before the next frame is drawn; a second finger may come sooner.
		if (document.querySelector("dialog")) return;
		// What a screen reader or a key clicks has no place, and does not miss.
		if (!this.guard.allows(event.detail === 0, event.timeStamp)) return;
		const id = Number(card.dataset.key.replace("announced-", ""));
		const button = event.target.closest("[data-do]");
		const order = this.#desk.store.get(id);
		const isNews = this.#desk.touch([id]);
		const isStep = button && order && button.getAttribute("aria-disabled") !== "true";
		if (isStep) this.#act(order, button.dataset.do);
		// The card's buttons move up, or the card moves on.
		if (isNews || isStep) this.guard.tapped();
	}

	#act(order, what) {
		const desk = this.#desk;
		if (what === "discard") return desk.discard(order);
		if (what === "heard") return;
		const ask = { photo: this.#showPhoto, print: this.#print, minutes: this.#askMinutes, price: this.#askPrice, cancel: this.#askReason }[what];
		if (ask) return this.#parts.more((more) => ask.call(this, more, order));
		const minutes = what === "confirmed" ? desk.minutes(order) : null;
		this.#step(order, { status: what, ...(minutes && { estimated_preparation_minutes: minutes }) });
	}

	#step(order, json) {
		this.#acted = order.id;
		this.#desk.step(order, json);
	}

	#showPhoto(more, order) {
		return more.showPhoto(order, this.#desk.photos);
	}

	async #askMinutes(more, order) {
		const isPending = order.status === "pending";
		const minutes = await more.askMinutes(order, isPending);
		if (minutes === undefined) return;
		this.#step(order, { ...(isPending && { status: "confirmed" }), ...(minutes && { estimated_preparation_minutes: minutes }) });
	}

	async #askPrice(more, order) {
		const total_amount = await more.askPrice(order, this.#desk.shop.currency);
		if (total_amount !== undefined) this.#step(order, { total_amount });
	}

	async #askReason(more, order) {
		const reason = await more.askReason(order);
		if (reason !== undefined) this.#step(order, { status: "cancelled", ...(reason && { cancel_reason: reason }) });
	}

	async #print(more, order) {
		const photo = order.list_image_url && (await this.#desk.photos.get(order.list_image_url).catch(() => null));
		more.print(byId("ticket"), order, this.#desk, photo);
	}
}

const keysIn = (element) => Array.from(element.children, (child) => child.dataset.key).join();

function put(element, text) {
	if (element.textContent !== text) element.textContent = text;
}

function say(text) {
	put(byId("say"), text);
}

function makeAny(item, desk) {
	if (item.order_id) return makeAnnounced(item);
	const card = make(item, desk);
	card.id = `order-${item.id}`;
	return card;
}

function makeAlert({ kind, text, words, act }) {
	const element = h(
		"div",
		{ class: kind === "small" ? "small" : `note row ${kind}` },
		h("span", {}, text),
		words && h("button", { type: "button" }, words),
	);
	if (words) element.querySelector("button").onclick = act;
	return element;
}

/** Where the focus is among the cards: its card may move away, and then the next one gets it: its first button where a key moved it, acted being its order. Else a
 * heading does, so that no key does to one order what was meant for another. */
function placeOfFocus(acted) {
	const active = document.activeElement;
	const card = byId("columns").contains(active) ? active.closest(".card") : null;
	if (!card) return null;
	const list = card.parentElement;
	const index = [...list.children].indexOf(card);
	const isByKey = card.dataset.key === String(acted) && active.matches(":focus-visible");
	return {
		restore() {
			if (document.activeElement !== document.body || !list.isConnected) return;
			const next = list.children[index] ?? list.lastElementChild;
			const target = next ? next.querySelector(isByKey ? ".steps button" : "h3") : list.parentElement.querySelector("summary, h2");
			target?.focus({ preventScroll: !isByKey });
		},
	};
}
