import assert from "node:assert/strict";
import test from "node:test";
import { load, Time } from "./load.mjs";

const { Taps } = await load("board/taps.js");

class Refusal extends Error {
	constructor(status, wait = 0) {
		super();
		this.wait = wait;
		Object.assign(this, { status, isPassing: status === 0 || status === 429 || status >= 500 });
	}
}

/** Taps whose tries end as the test says: answers is a list of values, Refusals, or promises; a value once they are used up. */
function made(answers = [], extra = {}) {
	const time = new Time();
	const seen = { sent: [], saved: null, ended: [] };
	const taps = new Taps({
		...time.parts,
		send: async (tap) => {
			seen.sent.push(tap);
			const answer = await (answers.length ? answers.shift() : { id: 1 });
			if (answer instanceof Error) throw answer;
			return answer;
		},
		save: (list) => (seen.saved = JSON.parse(JSON.stringify(list))),
		onEnd: (tap, result) => seen.ended.push([tap.key, result]),
		...extra,
	});
	return { taps, time, seen };
}
const tap = (members = {}) => ({ key: "order:1", path: "/orders/1", json: { status: "confirmed" }, etag: '"1-1"', ...members });

test("answered: kept until then, gone afterwards", async () => {
	const { taps, time, seen } = made();
	assert.equal(taps.add(tap()), true);
	assert.equal(seen.saved.length, 1, "kept before it is sent");
	assert.equal(taps.of("order:1").isUnsaved, false);
	await time.tick();
	assert.deepEqual(seen.ended, [["order:1", { value: { id: 1 } }]]);
	assert.equal(taps.of("order:1"), undefined);
	assert.deepEqual(seen.saved, []);
});

test("the second half of a double tap is none", async () => {
	const { taps, time, seen } = made();
	taps.add(tap());
	assert.equal(taps.add(tap({ json: { status: "cancelled" } })), false);
	assert.equal(taps.add(tap({ key: "order:2" })), true);
	await time.tick();
	assert.deepEqual(
		seen.sent.map((t) => t.key),
		["order:1", "order:2"],
	);
});

test("without an answer the very same goes again, ever slower, and is not called saved", async () => {
	const { taps, time, seen } = made([new Refusal(0), new Refusal(503), new Refusal(429), new Refusal(500)]);
	taps.add(tap());
	await time.tick();
	assert.equal(taps.of("order:1").isUnsaved, true);
	assert.deepEqual(seen.ended, []);
	const counts = [];
	for (const pause of [999, 1, 2000, 4000, 8000]) {
		await time.tick(pause);
		counts.push(seen.sent.length);
	}
	assert.deepEqual(counts, [1, 2, 3, 4, 5]);
	assert.ok(seen.sent.every((t) => JSON.stringify(t) === JSON.stringify(seen.sent[0])));
	assert.equal(seen.ended.length, 1);
});

test("the pause between tries is bounded", async () => {
	const { taps, time, seen } = made(Array.from({ length: 20 }, () => new Refusal(0)));
	taps.add(tap());
	await time.tick(60000);
	const before = seen.sent.length;
	await time.tick(60000);
	assert.equal(seen.sent.length - before, 4);
});

test("who is told to wait waits, whatever comes back meanwhile", async () => {
	const { taps, time, seen } = made([new Refusal(429, 30)]);
	taps.add(tap());
	await time.tick(29000);
	taps.hurry();
	await time.tick();
	assert.equal(seen.sent.length, 1);
	await time.tick(1000);
	assert.equal(seen.sent.length, 2);
});

test("a refusal ends it", async () => {
	for (const status of [403, 404, 409, 412, 422]) {
		const { taps, time, seen } = made([new Refusal(status)]);
		taps.add(tap());
		await time.tick(60000);
		assert.equal(seen.sent.length, 1);
		assert.equal(seen.ended[0][1].problem.status, status);
		assert.equal(taps.size, 0);
	}
});

test("signed out meanwhile is no answer to the change", async () => {
	const { taps, time, seen } = made([new Refusal(401)]);
	taps.add(tap());
	await time.tick();
	assert.deepEqual(seen.ended, []);
	assert.equal(seen.saved.length, 1);
	taps.stop();
	await time.tick(60000);
	assert.equal(seen.sent.length, 1);
	assert.equal(seen.saved.length, 1);
});

test("when somebody is back what waits is tried at once, and what hangs beside its hanging try", async () => {
	let answer;
	const { taps, time, seen } = made([new Refusal(0), new Promise((resolve) => (answer = resolve)), new Refusal(412)]);
	taps.add(tap());
	await time.tick();
	taps.hurry();
	await time.tick();
	assert.equal(seen.sent.length, 2);
	taps.hurry();
	await time.tick();
	assert.equal(seen.sent.length, 2, "it has only just begun");
	time.sleep(4000);
	taps.hurry();
	await time.tick();
	assert.equal(seen.sent.length, 3);
	assert.equal(seen.ended[0][1].problem.status, 412);
	answer({ id: 1, late: true });
	await time.tick();
	assert.equal(seen.ended.length, 2, "an answer is never thrown away");
});

test("a hanging try that fails in the end does not disturb a later one", async () => {
	let fail;
	const { taps, time, seen } = made([new Promise((resolve) => (fail = () => resolve(new Refusal(0)))), new Promise(() => {})]);
	taps.add(tap());
	time.sleep(4000);
	taps.hurry();
	fail();
	await time.tick(20000);
	assert.equal(seen.sent.length, 2);
	assert.equal(taps.of("order:1").isUnsaved, false);
});

test("discarded: not tried again; its answer is still told if it comes, its refusal is not", async () => {
	let answer;
	const { taps, time, seen } = made([new Promise((resolve) => (answer = resolve))]);
	taps.add(tap());
	taps.discard("order:1");
	assert.deepEqual(seen.saved, []);
	answer({ id: 1 });
	await time.tick();
	assert.deepEqual(seen.ended, [["order:1", { value: { id: 1 } }]]);
	let refuse;
	const refused = made([new Promise((resolve) => (refuse = () => resolve(new Refusal(412))))]);
	refused.taps.add(tap());
	refused.taps.discard("order:1");
	refuse();
	await refused.time.tick();
	assert.deepEqual(refused.seen.ended, []);
	const other = made([new Refusal(0)]);
	other.taps.add(tap());
	await other.time.tick();
	other.taps.discard("order:1");
	await other.time.tick(60000);
	assert.equal(other.seen.sent.length, 1);
	assert.deepEqual(other.seen.ended, []);
});

test("after a reload: the young ones go on, the old ones are told of", async () => {
	const before = made([new Promise(() => {})]);
	before.taps.add(tap());
	const { taps, time, seen } = made();
	time.sleep(60000);
	const list = [...before.seen.saved, { ...before.seen.saved[0], key: "order:2", at: time.now() - 3600000 }];
	assert.equal(taps.restore(list, 600000), 1);
	await time.tick();
	assert.deepEqual(
		seen.sent.map((t) => [t.key, t.etag]),
		[["order:1", '"1-1"']],
	);
	assert.deepEqual(seen.saved, []);
});

test("what is kept and is no tap is dropped without a word", async () => {
	const { taps, time, seen } = made();
	const odd = [null, 3, "x", {}, { key: "order:2" }, { key: "order:2", path: "/orders/2", at: time.now() }];
	assert.equal(taps.restore([...odd, { ...tap(), at: time.now() }], 600000), 0);
	await time.tick();
	assert.deepEqual(seen.sent.map((t) => t.key), ["order:1"]);
});
