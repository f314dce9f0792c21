// The desk by itself: what of its parts' answers counts.
import assert from "node:assert/strict";
import test from "node:test";
import { load, order } from "./load.mjs";

Object.assign(globalThis, { addEventListener() {}, removeEventListener() {}, document: Object.assign(new EventTarget(), { hidden: false }) });
const { Desk } = await load("board/desk.js");
const settled = () => new Promise((resolve) => setTimeout(resolve, 5));

test("what was read of the shop before a change of it was answered does not undo that change", async (t) => {
	const never = new Promise(() => {});
	const answers = [];
	const paused = { id: 7, owner_id: 1, timezone: "Asia/Kolkata", paused_until: "2030-02-24T12:00:00+05:30" };
	const session = {
		who: { user_id: 1 },
		get: () => new Promise((resolve) => answers.push(resolve)),
		call: async (method) => (method === "PATCH" ? { value: { ...paused, paused_until: null } } : never),
	};
	const desk = new Desk(session, paused, () => never);
	t.after(() => desk.close());
	const reading = desk.readShop();
	desk.changeShop({ paused_until: null });
	await settled();
	answers[0](paused);
	await reading;
	assert.equal(desk.shop.paused_until, null);
	const again = desk.readShop();
	answers[1]({ ...paused, name: "Corner Store" });
	await again;
	assert.equal(desk.shop.name, "Corner Store");
});

test("two windows keep their taps beside each other; a reload of either finds both", async (t) => {
	const kept = new Map();
	globalThis.localStorage = { getItem: (name) => kept.get(name) ?? null, setItem: (name, text) => kept.set(name, text) };
	t.after(() => delete globalThis.localStorage);
	const answers = [];
	const call = (method) => (method === "PATCH" ? new Promise((resolve) => answers.push(resolve)) : new Promise(() => {}));
	const opened = () => {
		const desk = new Desk({ who: { user_id: 1 }, get: () => new Promise(() => {}), call }, { id: 7, owner_id: 1, timezone: "Asia/Kolkata" }, () => new Promise(() => {}));
		t.after(() => desk.close());
		return desk;
	};
	const [one, two] = [opened(), opened()];
	one.step(order({ id: 1 }), { status: "confirmed" });
	two.step(order({ id: 2 }), { status: "confirmed" });
	one.step(order({ id: 3 }), { status: "confirmed" });
	const waiting = () => JSON.parse(kept.get("pickup.board.taps.1.7")).map((tap) => tap.key).sort();
	assert.deepEqual(waiting(), ["order:1", "order:2", "order:3"]);
	answers[0]({ value: order({ id: 1, version: 2, status: "confirmed" }) });
	await settled();
	assert.deepEqual(waiting(), ["order:2", "order:3"]);
	const three = opened();
	assert.deepEqual([1, 2, 3].map((id) => Boolean(three.taps.of(`order:${id}`))), [false, true, true]);
	three.discard({ id: 2 });
	assert.deepEqual(waiting(), ["order:3"]);
});
