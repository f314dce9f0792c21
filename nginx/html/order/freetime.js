// freetime.js - a time of the day where the shop has no slots: what its clock shows is made an instant, also on days on which it is put forward or
// back.

import { h } from "../lib/dom.js";
import { clock, t } from "../lib/words.js";
import { afterGap, atWall, dateAt, timeAt } from "./zonetime.js";

export class FreeTime {
	#input = h("input", { type: "time", id: "free-time", oninput: () => this.#read() });
	#found = h("div");
	#element = h("div", { class: "stack" }, h("div", {}, h("label", { for: "free-time" }, t("order.time")), this.#input), this.#found);

	/** picked(text) hears of each choice: RFC 3339, or null where there is no such time or which one is not said yet. */
	constructor(picked) {
		this.picked = picked;
	}

	/** For that day there. A time that was typed for another day is taken for this one. */
	draw(zone, date, kept) {
		Object.assign(this, { zone, date });
		const isKept = Boolean(kept) && dateAt(zone, Date.parse(kept)) === date;
		if (isKept) this.#input.value = timeAt(zone, Date.parse(kept));
		this.#found.replaceChildren();
		if (this.#input.value) this.#read(isKept ? kept : undefined);
		return this.#element;
	}

	/** kept: what was picked before, where it is of this time. */
	#read(kept) {
		const time = this.#input.value;
		const instants = atWall(this.zone, this.date, time);
		this.#found.replaceChildren();
		if (instants.length === 2) this.#found.append(this.#twice(instants, kept));
		if (time && !instants.length) this.#found.append(this.#never(time));
		if (kept === undefined) this.picked(instants.length === 1 ? instants[0].text : null);
	}

	#twice(instants, kept) {
		return h("fieldset", { class: "stack" }, h("legend", {}, t("order.twice")), instants.map(({ text }, i) => h("label", {},
			h("input", { type: "radio", name: "which", value: text, checked: text === kept, onchange: () => this.picked(text) }),
			t(i ? "order.second_time" : "order.first_time", { offset: text.slice(19) }))));
	}

	#never(time) {
		const { text } = afterGap(this.zone, this.date, time);
		const take = () => {
			this.#input.value = text.slice(11, 16);
			this.#found.replaceChildren();
			this.#input.focus();
			this.picked(text);
		};
		const button = h("button", { type: "button", onclick: take }, t("order.take_time", { time: clock(text, this.zone.name) }));
		return h("p", { class: "note" }, t("order.no_such_time", { time }), " ", button);
	}
}
