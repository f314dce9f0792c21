// zonetime.js - the clock on the wall in a time zone, as instants and back, also where it changes. Pure: no page, no words.
// Instants are milliseconds since 1970, dates "2026-02-26", times of day "17:00".

const DAY_MS = 86400000;
const MINUTE_MS = 60000;
const two = (n) => String(n).padStart(2, "0");

/** The zone of that name: {name, offsetAt(instant)}, offset in milliseconds east of UTC. Undefined where the browser knows none of that name. */
export function zoneOf(name) {
	let format;
	try {
		format = new Intl.DateTimeFormat("en-US", {
			timeZone: name, calendar: "gregory", numberingSystem: "latn", hourCycle: "h23",
			year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric", second: "numeric",
		});
	} catch {
		return undefined;
	}
	return { name, offsetAt: (instant) => wallOf(format, instant) - Math.floor(instant / 1000) * 1000 };
}

/** What the clock shows, as if it were UTC. */
function wallOf(format, instant) {
	const part = Object.fromEntries(format.formatToParts(instant).map(({ type, value }) => [type, Number(value)]));
	return Date.UTC(part.year, part.month - 1, part.day, part.hour, part.minute, part.second);
}

/** The zone of this browser. */
export const ownZone = () => zoneOf(new Intl.DateTimeFormat().resolvedOptions().timeZone) ?? zoneOf("UTC");

/** Whether the clocks of both show the same at that instant. */
export const isSameClock = (a, b, instant) => a.offsetAt(instant) === b.offsetAt(instant);

/** "2026-02-26T17:00:00+05:30" */
export function rfc3339(zone, instant) {
	const offset = zone.offsetAt(instant);
	const minutes = Math.abs(Math.round(offset / MINUTE_MS));
	return `${new Date(instant + offset).toISOString().slice(0, 19)}${offset < 0 ? "-" : "+"}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
}

/** The instants at which the clock shows that: one; two where it is set back over that time; none where it is put forward over it, or where it is no
 * time. Each as {instant, text}, text being RFC 3339 with the offset that the zone has at that instant. */
export function atWall(zone, date, time) {
	const wall = wallTime(date, time);
	if (Number.isNaN(wall)) return [];
	// What holds before and after a change, should there be one nearby.
	const offsets = new Set([zone.offsetAt(wall - DAY_MS), zone.offsetAt(wall + DAY_MS)]);
	return [...offsets].map((offset) => wall - offset).filter((instant) => instant + zone.offsetAt(instant) === wall).sort((a, b) => a - b)
		.map((instant) => ({ instant, text: rfc3339(zone, instant) }));
}

/** For a time that the clock is put forward over: the time that it shows at the instant at which it would have shown this one. */
export function afterGap(zone, date, time) {
	const wall = wallTime(date, time);
	const instant = wall - zone.offsetAt(wall - DAY_MS);
	return { instant, text: rfc3339(zone, instant) };
}

function wallTime(date, time) {
	if (!/^\d{4}-\d\d-\d\d$/.test(date) || !/^\d\d:\d\d$/.test(time)) return NaN;
	const wall = Date.parse(`${date}T${time}:00Z`);
	return !Number.isNaN(wall) && new Date(wall).toISOString().startsWith(`${date}T${time}`) ? wall : NaN;
}

/** The date there at that instant. */
export const dateAt = (zone, instant) => rfc3339(zone, instant).slice(0, 10);

/** The time of day there at that instant. */
export const timeAt = (zone, instant) => rfc3339(zone, instant).slice(11, 16);

/** So many days later: a date of the calendar, whatever the clock does. */
export const addDays = (date, days) => new Date(Date.parse(`${date}T00:00:00Z`) + days * DAY_MS).toISOString().slice(0, 10);

/** The dates there from that instant's on, so many. */
export const datesFrom = (zone, instant, count) => Array.from({ length: count }, (_, i) => addDays(dateAt(zone, instant), i));

/** An instant at which it is that date there, for naming the day. */
export const noonOf = (zone, date) => atWall(zone, date, "12:00")[0]?.instant ?? Date.parse(`${date}T12:00:00Z`);
