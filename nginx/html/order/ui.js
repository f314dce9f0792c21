// ui.js - pieces that several views are made of: what is read again and again, troubles, times on two clocks, amounts, quantities.

import { h } from "../lib/dom.js";
import { clock, money, t, tell, when } from "../lib/words.js";
import { QUANTITY_MAX } from "./basket.js";
import { isSameClock, ownZone, zoneOf } from "./zonetime.js";

/** Reads now, every so many seconds while the page is seen, and at once when somebody comes back; sooner after a failure. failed(problem or null) hears
 * how it went. */
export function watch(read, seconds, failed) {
	let timer = 0;
	let failures = 0;
	let isReading = false;
	let isWanted = true;
	let isAgain = false;
	async function now() {
		clearTimeout(timer);
		isAgain = isReading;
		if (isReading || !isWanted) return;
		isReading = true;
		const problem = await read().then(() => null, (p) => p);
		isReading = false;
		if (!isWanted) return;
		if (problem && problem.status === undefined) console.error(problem);
		failures = problem ? failures + 1 : 0;
		failed(problem);
		if (isAgain) return now();
		timer = setTimeout(back, Math.min(seconds, failures ? 2 ** failures : seconds) * 1000);
	}
	function back() {
		if (!document.hidden) now();
	}
	document.addEventListener("visibilitychange", back);
	addEventListener("online", back);
	now();
	return {
		now,
		stop() {
			isWanted = false;
			clearTimeout(timer);
			document.removeEventListener("visibilitychange", back);
			removeEventListener("online", back);
		},
	};
}

/** A strip that says what is wrong, with a button to try again. */
export function trouble(again) {
	const text = h("span");
	const retry = h("button", { type: "button", onclick: () => again() }, t("common.try_again"));
	const element = h("div", { class: "note row", role: "status", hidden: true }, text, retry);
	return {
		element,
		show(problem) {
			element.hidden = !problem;
			text.textContent = problem ? tell(problem) : "";
		},
	};
}

/** The clock to show a shop's times by: its own, or this browser's where it does not know that zone. */
export const zoneOfShop = (shop) => (shop && zoneOf(shop.timezone)) ?? ownZone();

/** A time by the shop's clock, and by one's own where that shows another time. */
export function times(time, shop) {
	const zone = zoneOfShop(shop);
	const own = ownZone();
	const there = when(time, zone.name);
	if (isSameClock(zone, own, new Date(time).getTime())) return there;
	return t("order.both_clocks", { there, here: when(time, own.name) });
}

/** One's own clock's time where the shop's shows another. */
export function ownClock(time, zone) {
	const own = ownZone();
	return isSameClock(zone, own, new Date(time).getTime()) ? "" : t("order.own_clock", { time: clock(time, own.name) });
}

export const amount = (value, shop) => (shop?.currency ? money(value, shop.currency) : value.toFixed(2));

/** Whether a shop takes instant orders, and if not, when. */
export function openness(shop) {
	if (shop.is_open) return h("span", { class: "state good" }, t("order.open"));
	const isPaused = shop.paused_until && Date.parse(shop.paused_until) > Date.now();
	const word = isPaused ? "order.paused" : "order.closed";
	return h("span", { class: "state warn" }, shop.opens_at ? t(`${word}_until`, { time: times(shop.opens_at, shop) }) : t(word));
}

/** −, a number, +. element.set(quantity, max) brings it up to date; change(quantity) hears of taps and typing. */
export function stepper(name, change) {
	let now = 0;
	let most = QUANTITY_MAX;
	const less = h("button", { type: "button", "aria-label": t("order.less", { name }), onclick: () => step(now - 1) }, "−");
	const input = h("input", {
		inputmode: "numeric", maxlength: 3, autocomplete: "off", "aria-label": t("order.quantity", { name }), onchange: () => step(Number(input.value) || 0),
	});
	const more = h("button", { type: "button", "aria-label": t("order.more", { name }), onclick: () => step(now + 1) }, "+");
	const element = h("div", { class: "stepper", role: "group", "aria-label": name }, less, input, more);
	function step(quantity) {
		const isGone = quantity < 1 && document.activeElement === less;
		change(Math.max(0, Math.min(quantity, Math.max(most, 0))));
		if (isGone && more.isConnected) more.focus();
	}
	element.set = (quantity, max = QUANTITY_MAX) => {
		now = quantity;
		most = Math.min(max, QUANTITY_MAX);
		less.hidden = input.hidden = quantity < 1;
		if (document.activeElement !== input || Number(input.value) !== quantity) input.value = String(quantity);
		if (quantity >= most && document.activeElement === more && quantity > 0) less.focus();
		more.disabled = quantity >= most;
	};
	return element;
}

/** A name that somebody gave: whatever its letters' direction, the text around it keeps its own. */
export const named = (text) => h("bdi", {}, text);

/** A button that a second tap can't press: it works once until its work is done. */
export function button(word, work, properties = {}) {
	let isAtWork = false;
	const element = h("button", {
		type: "button", ...properties,
		onclick: async () => {
			if (isAtWork) return;
			isAtWork = true;
			element.setAttribute("aria-disabled", "true");
			try {
				await work();
			} finally {
				isAtWork = false;
				element.removeAttribute("aria-disabled");
			}
		},
	}, word);
	return element;
}
