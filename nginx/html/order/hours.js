// hours.js - a shop's opening hours as a table of the week, and the days of the next weeks that are not like it.

import { h } from "../lib/dom.js";
import { clock, day, t } from "../lib/words.js";
import { addDays, dateAt } from "./zonetime.js";

const DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
/** A Monday, by which weekdays are named. */
const MONDAY = "2024-01-01";
const EXCEPTION_DAYS = 28;

const timeWord = (time) => clock(`${MONDAY}T${time === "24:00" ? "00:00" : time}:00Z`, "UTC");
const spansWord = (spans) => (spans?.length ? spans.map(([from, to]) => `${timeWord(from)} – ${timeWord(to)}`).join(", ") : t("order.closed"));
const weekday = (date) => new Intl.DateTimeFormat(document.documentElement.lang, { weekday: "long", timeZone: "UTC" }).format(new Date(`${date}T00:00:00Z`));

/** As an element; null for a shop that is always open. */
export function hoursOf(shop, zone) {
	const today = dateAt(zone, Date.now());
	const last = addDays(today, EXCEPTION_DAYS);
	const others = shop.exceptions.filter(({ date }) => date >= today && date <= last).sort((a, b) => (a.date < b.date ? -1 : 1));
	if (!shop.opening_hours && !others.length) return null;
	const week = shop.opening_hours ? DAYS.map((name, i) => [weekday(addDays(MONDAY, i)), spansWord(shop.opening_hours[name])]) : [];
	const rows = [...week, ...others.map(({ date, hours, note }) => [day(`${date}T00:00:00Z`, "UTC"), [spansWord(hours), note].filter(Boolean).join(": ")])];
	return h("details", { class: "hours" }, h("summary", {}, t("order.hours")), h("dl", {}, rows.map(([name, spans]) => [h("dt", {}, name), h("dd", {}, spans)])));
}
