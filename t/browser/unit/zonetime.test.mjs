// Clock times of zones, also on the days on which the clock changes.
import assert from "node:assert/strict";
import test from "node:test";

import { load } from "./load.mjs";

const { addDays, afterGap, atWall, dateAt, datesFrom, isSameClock, noonOf, rfc3339, timeAt, zoneOf } = await load("order/zonetime.js");

const texts = (zone, date, time) => atWall(zoneOf(zone), date, time).map(({ text }) => text);

for (const [zone, date, time, ...wanted] of [
	["Asia/Kolkata", "2026-02-26", "17:00", "2026-02-26T17:00:00+05:30"],
	["UTC", "2026-02-26", "00:00", "2026-02-26T00:00:00+00:00"],
	["Asia/Kathmandu", "2026-12-31", "23:59", "2026-12-31T23:59:00+05:45"],
	["America/St_Johns", "2026-01-01", "00:01", "2026-01-01T00:01:00-03:30"],
	["Pacific/Kiritimati", "2026-06-01", "00:00", "2026-06-01T00:00:00+14:00"],
	["Pacific/Pago_Pago", "2026-06-01", "23:30", "2026-06-01T23:30:00-11:00"],
	// The clock put forward over that time, and just beside it.
	["Europe/Berlin", "2026-03-29", "01:59", "2026-03-29T01:59:00+01:00"],
	["Europe/Berlin", "2026-03-29", "02:00"],
	["Europe/Berlin", "2026-03-29", "02:59"],
	["Europe/Berlin", "2026-03-29", "03:00", "2026-03-29T03:00:00+02:00"],
	["Africa/Cairo", "2026-04-24", "00:30"],
	["America/Santiago", "2026-09-06", "00:30"],
	["Australia/Lord_Howe", "2026-10-04", "02:15"],
	["Australia/Lord_Howe", "2026-10-04", "02:30", "2026-10-04T02:30:00+11:00"],
	// Set back over that time: it comes twice.
	["Europe/Berlin", "2026-10-25", "01:59", "2026-10-25T01:59:00+02:00"],
	["Europe/Berlin", "2026-10-25", "02:00", "2026-10-25T02:00:00+02:00", "2026-10-25T02:00:00+01:00"],
	["Europe/Berlin", "2026-10-25", "02:59", "2026-10-25T02:59:00+02:00", "2026-10-25T02:59:00+01:00"],
	["Europe/Berlin", "2026-10-25", "03:00", "2026-10-25T03:00:00+01:00"],
	["America/New_York", "2026-11-01", "01:30", "2026-11-01T01:30:00-04:00", "2026-11-01T01:30:00-05:00"],
	["America/New_York", "2026-11-01", "17:00", "2026-11-01T17:00:00-05:00"],
	["Australia/Lord_Howe", "2026-04-05", "01:45", "2026-04-05T01:45:00+11:00", "2026-04-05T01:45:00+10:30"],
	["America/Santiago", "2026-04-04", "23:30", "2026-04-04T23:30:00-03:00", "2026-04-04T23:30:00-04:00"],
	// No times.
	["UTC", "2026-02-29", "12:00"], ["UTC", "2026-02-26", "24:00"], ["UTC", "2026-02-26", "12:60"], ["UTC", "", "12:00"],
	["UTC", "2026-02-26", ""], ["UTC", "2026-13-01", "12:00"],
]) {
	test(`${date} ${time} in ${zone}`, () => assert.deepEqual(texts(zone, date, time), wanted));
}

test("the time after the one that is jumped over", () => {
	assert.equal(afterGap(zoneOf("Europe/Berlin"), "2026-03-29", "02:30").text, "2026-03-29T03:30:00+02:00");
	assert.equal(afterGap(zoneOf("Africa/Cairo"), "2026-04-24", "00:00").text, "2026-04-24T01:00:00+03:00");
	assert.equal(afterGap(zoneOf("Australia/Lord_Howe"), "2026-10-04", "02:00").text, "2026-10-04T02:30:00+11:00");
});

const DAY = 86400000;
for (const name of [
	"Europe/Berlin", "America/New_York", "America/Santiago", "Africa/Cairo", "Australia/Lord_Howe", "America/St_Johns", "Pacific/Chatham",
]) {
	test(`each quarter of an hour around the changes of 2026 in ${name} is found again by what the clock shows then`, () => {
		const zone = zoneOf(name);
		let changes = 0;
		for (let day = Date.UTC(2026, 0, 1); day < Date.UTC(2027, 0, 1); day += DAY) {
			if (zone.offsetAt(day) === zone.offsetAt(day + DAY)) continue;
			changes++;
			for (let instant = day - DAY; instant < day + 2 * DAY; instant += 900000) isFound(zone, instant);
		}
		assert.equal(changes, 2);
	});
}

function isFound(zone, instant) {
	const text = rfc3339(zone, instant);
	assert.equal(Date.parse(text), instant);
	const found = atWall(zone, dateAt(zone, instant), timeAt(zone, instant));
	assert.ok(found.some((one) => one.instant === instant), text);
	assert.ok(found.length <= 2 && found.every((one) => one.text.slice(0, 16) === text.slice(0, 16)), text);
}

test("days go on whatever the clock does", () => {
	const zone = zoneOf("Europe/Berlin");
	assert.deepEqual(datesFrom(zone, Date.parse("2026-10-24T23:30:00+02:00"), 3), ["2026-10-24", "2026-10-25", "2026-10-26"]);
	assert.deepEqual(datesFrom(zone, Date.parse("2026-12-31T22:59:59Z"), 2), ["2026-12-31", "2027-01-01"]);
	assert.deepEqual(datesFrom(zone, Date.parse("2026-12-31T23:00:00Z"), 1), ["2027-01-01"]);
	assert.equal(addDays("2028-02-28", 1), "2028-02-29");
	assert.equal(addDays("2026-03-01", -1), "2026-02-28");
	for (const zoned of ["Pacific/Kiritimati", "Pacific/Pago_Pago", "Africa/Cairo"].map(zoneOf)) {
		assert.equal(dateAt(zoned, noonOf(zoned, "2026-04-24")), "2026-04-24");
	}
});

test("zones that nobody knows, and two names of one clock", () => {
	assert.equal(zoneOf("Mars/Olympus"), undefined);
	assert.equal(zoneOf(undefined) === undefined, false);
	assert.ok(isSameClock(zoneOf("Asia/Kolkata"), zoneOf("Asia/Calcutta"), 0));
	assert.ok(isSameClock(zoneOf("Europe/London"), zoneOf("UTC"), Date.UTC(2026, 0, 1)));
	assert.ok(!isSameClock(zoneOf("Europe/London"), zoneOf("UTC"), Date.UTC(2026, 6, 1)));
});
