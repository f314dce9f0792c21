import assert from "node:assert/strict";
import test from "node:test";
import { load } from "./load.mjs";

const { Guard, minutesOf, priceOf } = await load("board/inputs.js");

test("prices", () => {
	const cases = [
		["342.50", 342.5],
		["342,5", 342.5],
		[" 0 ", 0],
		["99999999.99", 99999999.99],
		["0,01", 0.01],
		["", null],
		["-1", null],
		["1e3", null],
		["100000000", null],
		["1.234", null],
		["1.2.3", null],
		["1,000.00", null],
		["NaN", null],
		[".5", null],
	];
	for (const [text, value] of cases) assert.equal(priceOf(text), value, text);
	assert.equal(JSON.stringify(priceOf("99999999.99")), "99999999.99");
});

test("minutes", () => {
	const cases = [
		["1", 1],
		[" 20 ", 20],
		["1440", 1440],
		["0", null],
		["1441", null],
		["2.5", null],
		["-5", null],
		["", null],
		["20 min", null],
	];
	for (const [text, value] of cases) assert.equal(minutesOf(text), value, text);
});

test("the second half of a double tap, by finger or key; a finger where cards have just moved", () => {
	let now = 1000;
	const rests = [];
	const guard = new Guard(
		(ms) => rests.push(ms),
		() => now,
	);
	assert.equal(guard.allows(false), true);
	guard.tapped();
	now += 200;
	assert.equal(guard.allows(false), false);
	assert.equal(guard.allows(true), false);
	now += 299;
	assert.equal(guard.allows(true), false);
	now += 1;
	assert.equal(guard.allows(true), true);
	guard.shifted();
	now += 399;
	assert.equal(guard.allows(false), false);
	now += 1;
	assert.equal(guard.allows(false), true);
	guard.tapped();
	now += 1000;
	guard.shifted();
	assert.equal(guard.allows(true), true, "keys stay with what has the focus");
	assert.equal(guard.allows(false), false);
	assert.deepEqual(rests, [700, 400, 700, 400]);
});

test("what a slow tablet hears of late is judged by when the finger was there", () => {
	let now = 1000;
	const guard = new Guard(
		() => {},
		() => now,
	);
	guard.tapped();
	now += 3000;
	assert.equal(guard.allows(false, 1120), false);
	assert.equal(guard.allows(true, 1120), false);
	assert.equal(guard.allows(false, 1700), true);
});

test("taps rest for a moment, whatever happens to the clock", (t) => {
	let at = 5000;
	t.mock.method(performance, "now", () => at);
	const guard = new Guard(() => {});
	guard.tapped();
	assert.equal(guard.allows(false), false);
	t.mock.method(Date, "now", () => 0);
	at += 700;
	assert.equal(guard.allows(false), true);
});
