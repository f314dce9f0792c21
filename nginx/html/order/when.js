// when.js - now or later: the slots of the shop's days, or any day and time where it has none. Times are the shop's, with one's own clock beside it where it shows another.

import { h } from "../lib/dom.js";
import { clock, day, t, tell } from "../lib/words.js";
import { openness, ownClock, times, watch, zoneOfShop } from "./ui.js";
import { addDays, afterGap, atWall, dateAt, datesFrom, noonOf, timeAt } from "./zonetime.js";

const EVERY_S = 30;
const DAYS = 14;
const FEW = 5;

/** The choice as an element. basket() is what is kept; change(patch) keeps. Its update() is to be called when shop or basket changed, its leave() at the end. */
export function whenChoice(app, shopId, basket, change) {
	const now = h("input", { type: "radio", name: "when", value: "now", onchange: () => choose("now") });
	const later = h("input", { type: "radio", name: "when", value: "later", onchange: () => choose("later") });
	const closed = h("p", { class: "quiet indent" });
	const days = h("select", { id: "day", onchange: () => pickDay(days.value) });
	const other = h("input", { type: "date", id: "other-day", onchange: () => other.value && pickDay(other.value) });
	const otherBox = h("div", { hidden: true }, h("label", { for: "other-day" }, t("order.other_day")), other);
	const zoneNote = h("p", { class: "quiet" });
	const chosen = h("p", { role: "status" });
	const choices = h("div");
	const box = h("div", { class: "stack indent", hidden: true }, h("div", {}, h("label", { for: "day" }, t("order.day")), days), otherBox, zoneNote, choices, chosen);
	const element = h("fieldset", { class: "stack section" }, h("legend", {}, h("h2", {}, t("order.when"))),
		h("label", {}, now, t("order.now")), closed, h("label", {}, later, t("order.later")), box);
	let date = null;
	let reading = null;
	let drawn = "";
	let seen = null;
	let typed = "";

	const shop = () => app.data.shop(shopId);
	const zone = () => zoneOfShop(shop());

	function choose(kind) {
		change({ when: kind });
	}

	function pickDay(value) {
		if (value === "other") {
			otherBox.hidden = false;
			other.focus();
			return;
		}
		date = value;
		drawn = "";
		choices.replaceChildren(h("p", { class: "quiet" }, t("common.loading")));
		reading?.stop();
		reading = watch(readSlots, EVERY_S, (problem) => problem && !drawn && choices.replaceChildren(h("p", { class: "fault" }, tell(problem))));
		drawDays();
	}

	async function readSlots() {
		const asked = date;
		const slots = await app.data.slots(shopId, asked);
		if (asked !== date) return;
		if (slots) drawSlots(slots);
		else drawFree();
	}

	function drawDays() {
		const known = shop();
		const most = known?.max_days_ahead ?? null;
		const today = dateAt(zone(), Date.now());
		const dates = datesFrom(zone(), Date.now(), Math.min(DAYS, (most ?? DAYS) + 1));
		if (!dates.includes(date)) dates.push(date);
		const options = dates.sort().map((d) => h("option", { value: d }, dayWord(d, today)));
		if (most === null || most >= DAYS) options.push(h("option", { value: "other" }, t("order.other_day_choose")));
		other.min = today;
		if (most !== null) other.max = addDays(today, most);
		days.replaceChildren(...options);
		days.value = date;
	}

	function dayWord(d, today) {
		const name = day(noonOf(zone(), d), zone().name);
		if (d === today) return t("order.today", { day: name });
		return d === addDays(today, 1) ? t("order.tomorrow", { day: name }) : name;
	}

	const pick = (time) => change({ when: "later", time });

	function drawSlots(slots) {
		const shown = slots.filter(({ state }) => state === "open" || state === "full");
		// The same again is left alone, so that nobody's focus is lost.
		const text = JSON.stringify([date, shown]);
		if (text === drawn) return mark();
		drawn = text;
		const held = choices.contains(document.activeElement) ? document.activeElement.value : null;
		if (!shown.length) choices.replaceChildren(h("p", {}, t("order.no_slots")));
		else choices.replaceChildren(h("fieldset", { class: "slots" }, h("legend", {}, t("order.slot")), h("div", { class: "chips" }, shown.map(slotChip))));
		mark();
		if (held) [...choices.querySelectorAll("input")].find((input) => input.value === held)?.focus();
	}

	function slotChip({ start, end, state, left }) {
		const hint = state === "full" ? t("order.full") : left !== null && left <= FEW ? t("order.left", { n: left }) : "";
		const input = h("input", { type: "radio", name: "slot", value: start, disabled: state === "full", onchange: () => pick(start) });
		input.dataset.end = end;
		return h("label", { class: state }, input, h("span", {}, clock(start, zone().name), h("span", { class: "quiet" }, [ownClock(start, zone()), hint].filter(Boolean).map((s) => ` ${s}`))));
	}

	/** Any time of the day: what the shop's clock shows is made an instant. */
	function drawFree() {
		if (drawn === `free ${date}`) return;
		drawn = `free ${date}`;
		const kept = basket().time;
		const isKept = Boolean(kept) && dateAt(zone(), Date.parse(kept)) === date;
		if (isKept) typed = timeAt(zone(), Date.parse(kept));
		const input = h("input", { type: "time", id: "free-time", value: typed, oninput: () => readTime(input.value) });
		const found = h("div", { id: "free-found" });
		choices.replaceChildren(h("div", {}, h("label", { for: "free-time" }, t("order.time")), input), found);
		if (typed) readTime(typed, isKept);
	}

	function readTime(time, isKept = false) {
		const found = choices.querySelector("#free-found");
		const instants = atWall(zone(), date, time);
		const kept = basket().time;
		typed = time;
		found.replaceChildren();
		if (!time) return change({ time: null });
		if (instants.length === 1) return isKept ? undefined : pick(instants[0].text);
		if (instants.length === 2) {
			found.append(h("fieldset", { class: "stack" }, h("legend", {}, t("order.twice")), instants.map(({ text }, i) => h("label", {},
				h("input", { type: "radio", name: "which", value: text, checked: isKept && text === kept, onchange: () => pick(text) }),
				t(i ? "order.second_time" : "order.first_time", { offset: text.slice(19) })))));
		} else {
			const { text } = afterGap(zone(), date, time);
			found.append(h("p", { class: "note" }, t("order.no_such_time", { time }), " ", h("button", {
				type: "button", onclick: () => { choices.querySelector("#free-time").value = typed = text.slice(11, 16); found.replaceChildren(); pick(text); },
			}, t("order.take_time", { time: clock(text, zone().name) }))));
		}
		if (!isKept) change({ time: null });
	}

	/** Shows what is chosen. */
	function mark() {
		const { time } = basket();
		for (const input of choices.querySelectorAll("input[name=slot]")) {
			input.checked = Boolean(time) && Date.parse(input.value) <= Date.parse(time) && Date.parse(time) < Date.parse(input.dataset.end);
		}
		const text = time ? t("order.chosen", { time: times(time, shop()) }) : "";
		if (chosen.textContent !== text) chosen.textContent = text;
	}

	function update() {
		const known = shop();
		if (!known) return;
		const { when, time } = basket();
		now.checked = when === "now";
		later.checked = when === "later";
		closed.hidden = known.is_open;
		closed.replaceChildren(openness(known));
		box.hidden = when !== "later";
		zoneNote.textContent = t("order.shop_clock", { time: clock(Date.now(), zone().name) });
		zoneNote.hidden = !ownClock(new Date().toISOString(), zone());
		if (when !== "later") {
			reading?.stop();
			reading = null;
			date = seen = null;
			return;
		}
		// A day that was chosen to look at stays, until another time is.
		const wanted = time && time !== seen ? dateAt(zone(), Date.parse(time)) : date ?? dateAt(zone(), Date.parse(known.opens_at ?? "") || Date.now());
		seen = time;
		if (wanted !== date) pickDay(wanted);
		mark();
	}
	return { element, update, refresh: () => reading?.now(), leave: () => reading?.stop() };
}
