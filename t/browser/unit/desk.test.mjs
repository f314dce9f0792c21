// The desk by itself: what of its parts' answers counts.
import assert from "node:assert/strict";
import test from "node:test";
import { load } from "./load.mjs";

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
