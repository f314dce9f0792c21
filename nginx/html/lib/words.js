// words.js - the words of the page's language, numbers and times in the reader's form. All words stand in ../words/LANGUAGE.js, one file a language.

import * as early from "./early.js";

const AGAIN_MS = 1000;

let words = {};
let language = "en";
/** The language as it is written where the reader is: en-IN, en-GB, … */
let locale = "en";
let plurals;

export const languages = early.LANGUAGES;
export const current = () => language;

function localeOf(l) {
	try {
		return Intl.getCanonicalLocales(navigator.languages.find((own) => own.slice(0, 2) === l))[0] ?? l;
	} catch {
		return l;
	}
}

/** Without them the page says nothing, so they are asked for until they come. */
async function fetched(l) {
	for (let n = 0; ; n++) {
		try {
			return (await early.wordsOf(l, n)).default;
		} catch {
			await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
		}
	}
}

/** Puts the words into the page. */
export async function load() {
	language = early.language();
	locale = localeOf(language);
	words = await fetched(language);
	plurals = new Intl.PluralRules(language);
	document.documentElement.lang = language;
	for (const element of document.querySelectorAll("[data-word]")) element.textContent = t(element.dataset.word);
	for (const element of document.querySelectorAll("[data-label]")) element.setAttribute("aria-label", t(element.dataset.label));
}

export function choose(l) {
	try {
		localStorage.setItem(early.LANGUAGE_KEY, l);
	} catch {
		// Then it stays the browser's.
	}
	location.reload();
}

/** The words under that name, with {member} replaced by its value; of {one: …, other: …} those that fit values.n. */
export function t(name, values = {}) {
	let text = words[name];
	if (typeof text === "object") text = text[plurals.select(values.n)] ?? text.other;
	return (text ?? name).replace(/\{(\w+)\}/g, (_, member) => values[member] ?? "");
}

/** A name within a sentence, whichever way it is written. */
export const isolated = (name) => `\u2068${name}\u2069`;

/** What to tell of a Problem. */
export function tell(problem) {
	const name = `problem.${problem.code}`;
	return name in words ? t(name, problem.members) : problem.message || t("problem.unknown");
}

/** Formats are dear to make, and a page asks for the same ones again and again. */
const formats = new Map();
function made(Format, where, options) {
	const key = `${Format.name} ${where} ${JSON.stringify(options)}`;
	if (!formats.has(key)) formats.set(key, new Format(where, options));
	return formats.get(key);
}

export const money = (amount, currency) => made(Intl.NumberFormat, locale, { style: "currency", currency }).format(amount);
const format = (options) => (time, timeZone) => made(Intl.DateTimeFormat, locale, { ...options, timeZone }).format(new Date(time));
export const clock = format({ hour: "numeric", minute: "2-digit" });
export const day = format({ weekday: "short", day: "numeric", month: "short" });
export const longDay = format({ weekday: "long", day: "numeric", month: "long" });
/** "2026-02-26" there. */
export const dateOf = (time, timeZone) =>
	made(Intl.DateTimeFormat, "en-CA", { year: "numeric", month: "2-digit", day: "2-digit", timeZone }).format(new Date(time));
const dayOfYear = format({ weekday: "short", day: "numeric", month: "short", year: "numeric" });
/** The clock's time, and the weekday and date where it is not today there, with the year where it is not this one. */
export function when(time, timeZone, now = Date.now()) {
	const [date, today] = [dateOf(time, timeZone), dateOf(now, timeZone)];
	if (date === today) return clock(time, timeZone);
	return `${(date.slice(0, 4) === today.slice(0, 4) ? day : dayOfYear)(time, timeZone)}, ${clock(time, timeZone)}`;
}
/** "in 5 minutes", "2 hours ago". */
export function span(time, now = Date.now()) {
	const minutes = Math.round((new Date(time) - now) / 60000);
	const [value, unit] = Math.abs(minutes) < 90 ? [minutes, "minute"] : Math.abs(minutes) < 48 * 60 ? [Math.round(minutes / 60), "hour"] : [Math.round(minutes / 1440), "day"];
	return made(Intl.RelativeTimeFormat, locale, { numeric: "always", style: "short" }).format(value, unit);
}
