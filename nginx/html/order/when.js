// when.js - now or later: the slots of the shop's days, or any day and time where it has none. Times are the shop's, with one's own clock beside it
// where it shows another.

import { h } from "../lib/dom.js";
import { clock, day, t, tell } from "../lib/words.js";
import { FreeTime } from "./freetime.js";
import { openness, ownClock, times, watch, zoneOfShop } from "./ui.js";
import { addDays, dateAt, datesFrom, noonOf } from "./zonetime.js";

const EVERY_S = 30;
const DAYS = 14;
const FEW = 5;

export class WhenChoice {
	#now = h("input", { type: "radio", name: "when", value: "now", onchange: () => this.change({ when: "now" }) });
	#later = h("input", { type: "radio", name: "when", value: "later", onchange: () => this.change({ when: "later" }) });
	#closed = h("p", { class: "quiet indent" });
	#days = h("select", { id: "day", onchange: () => this.#choose(this.#days.value) });
	#other = h("input", { type: "date", id: "other-day", onchange: () => this.#other.value && this.#pickDay(this.#other.value) });
	#otherBox = h("div", { hidden: true }, h("label", { for: "other-day" }, t("order.other_day")), this.#other);
	#zoneNote = h("p", { class: "quiet" });
	#choices = h("div");
	#chosen = h("p", { role: "status" });
	#box = h("div", { class: "stack indent", hidden: true }, h("div", {}, h("label", { for: "day" }, t("order.day")), this.#days), this.#otherBox,
		this.#zoneNote, this.#choices, this.#chosen);
	#date = null;
	#reading = null;
	/** What #choices shows, so that the same again is left alone, and nobody's focus is lost. */
	#drawn = "";
	/** The time that the basket had when it was last drawn. */
	#seen = null;

	/** change(patch) changes the basket. */
	constructor(app, shopId, change) {
		Object.assign(this, { app, shopId, change });
		this.free = new FreeTime((time) => this.change({ when: "later", time }));
		this.element = h("fieldset", { class: "stack section" }, h("legend", {}, h("h2", {}, t("order.when"))),
			h("label", {}, this.#now, t("order.now")), this.#closed, h("label", {}, this.#later, t("order.later")), this.#box);
	}

	get #shop() {
		return this.app.data.shop(this.shopId);
	}
	get #zone() {
		return zoneOfShop(this.#shop);
	}
	get #basket() {
		return this.app.baskets.of(this.shopId);
	}
	leave() {
		this.#reading?.stop();
	}
	reread() {
		this.#reading?.now();
	}
	focus() {
		this.#days.focus();
	}

	draw() {
		const shop = this.#shop;
		if (!shop) return;
		const isLater = this.#basket.when === "later";
		this.#now.checked = !isLater;
		this.#later.checked = isLater;
		this.#closed.hidden = shop.is_open;
		this.#closed.replaceChildren(openness(shop));
		this.#box.hidden = !isLater;
		if (isLater) this.#drawLater(shop);
		else this.#leaveLater();
	}

	#leaveLater() {
		this.#reading?.stop();
		this.#reading = this.#date = this.#seen = null;
	}

	#drawLater(shop) {
		const { time } = this.#basket;
		this.#zoneNote.textContent = t("order.shop_clock", { time: clock(Date.now(), this.#zone.name) });
		this.#zoneNote.hidden = !ownClock(Date.now(), this.#zone);
		// A day that was chosen to look at stays, until another time is.
		const isNew = time && time !== this.#seen;
		const first = Date.parse(shop.opens_at ?? "") || Date.now();
		const wanted = isNew ? dateAt(this.#zone, Date.parse(time)) : this.#date ?? dateAt(this.#zone, first);
		this.#seen = time;
		if (wanted !== this.#date) this.#pickDay(wanted);
		this.#mark();
	}

	#choose(value) {
		if (value !== "other") return this.#pickDay(value);
		this.#otherBox.hidden = false;
		this.#other.focus();
	}

	#pickDay(date) {
		this.#date = date;
		this.#drawn = "";
		this.#choices.replaceChildren(h("p", { class: "quiet" }, t("common.loading")));
		this.#reading?.stop();
		this.#reading = watch(() => this.#read(date), EVERY_S, (problem) => {
			if (problem && !this.#drawn) this.#choices.replaceChildren(h("p", { class: "fault" }, tell(problem)));
		});
		this.#drawDays();
	}

	async #read(date) {
		const slots = await this.app.data.slots(this.shopId, date);
		if (date !== this.#date) return;
		const shown = slots?.filter(({ state }) => state === "open" || state === "full");
		const text = JSON.stringify([date, shown]);
		if (text !== this.#drawn) {
			this.#drawn = text;
			if (shown) this.#drawSlots(shown);
			else this.#choices.replaceChildren(this.free.draw(this.#zone, date, this.#basket.time));
		}
		this.#mark();
	}

	/** Those of the next days that the shop plans for, and the one that is chosen. */
	#drawDays() {
		const most = this.#shop?.max_days_ahead ?? null;
		const today = dateAt(this.#zone, Date.now());
		const dates = new Set([...datesFrom(this.#zone, Date.now(), Math.min(DAYS, (most ?? DAYS) + 1)), this.#date]);
		const options = [...dates].sort().map((date) => h("option", { value: date }, this.#dayWord(date, today)));
		if (most === null || most >= DAYS) options.push(h("option", { value: "other" }, t("order.other_day_choose")));
		this.#other.min = today;
		if (most !== null) this.#other.max = addDays(today, most);
		this.#days.replaceChildren(...options);
		this.#days.value = this.#date;
	}

	#dayWord(date, today) {
		const name = day(noonOf(this.#zone, date), this.#zone.name);
		if (date === today) return t("order.today", { day: name });
		return date === addDays(today, 1) ? t("order.tomorrow", { day: name }) : name;
	}

	#drawSlots(slots) {
		const held = this.#choices.contains(document.activeElement) ? document.activeElement.value : null;
		const chips = h("div", { class: "chips" }, slots.map((slot) => this.#chip(slot)));
		if (!slots.length) this.#choices.replaceChildren(h("p", {}, t("order.no_slots")));
		else this.#choices.replaceChildren(h("fieldset", { class: "slots" }, h("legend", {}, t("order.slot")), chips));
		if (held) [...chips.querySelectorAll("input")].find((input) => input.value === held)?.focus();
	}

	#chip({ start, end, state, left }) {
		const few = left !== null && left <= FEW ? t("order.left", { n: left }) : "";
		const hints = [ownClock(start, this.#zone), state === "full" ? t("order.full") : few].filter(Boolean);
		const pick = () => this.change({ when: "later", time: start });
		const input = h("input", { type: "radio", name: "slot", value: start, "data-end": end, disabled: state === "full", onchange: pick });
		const quiet = h("span", { class: "quiet" }, hints.map((hint) => ` ${hint}`));
		return h("label", { class: state }, input, h("span", {}, clock(start, this.#zone.name), quiet));
	}

	/** Shows what is chosen. */
	#mark() {
		const { time } = this.#basket;
		const at = Date.parse(time ?? "");
		for (const input of this.#choices.querySelectorAll("input[name=slot]")) {
			input.checked = Date.parse(input.value) <= at && at < Date.parse(input.dataset.end);
		}
		const text = time ? t("order.chosen", { time: times(time, this.#shop) }) : "";
		if (this.#chosen.textContent !== text) this.#chosen.textContent = text;
	}
}
