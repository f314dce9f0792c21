// What the board keeps in the browser, whatever stands there.
import assert from "node:assert/strict";
import test from "node:test";
import { load } from "./load.mjs";

const map = new Map();
globalThis.localStorage = { getItem: (name) => map.get(name) ?? null, setItem: (name, text) => map.set(name, text) };
map.set("pickup.board.settings", JSON.stringify({ paper: 70, volume: "loud", minutes: 25, more: 1 }));
const { keep, kept, keptList, set, settings } = await load("board/keep.js");

test("a setting that can't be is as none", () => {
	assert.deepEqual(settings, { paper: 58, volume: 80, minutes: 25 });
	set("paper", 80);
	assert.equal(kept("settings").paper, 80);
});

test("lists are lists", () => {
	keep("taps", [1]);
	assert.deepEqual(keptList("taps"), [1]);
	for (const odd of ["", "{", "3", "\"x\"", "{}", "null"]) {
		map.set("pickup.board.taps", odd);
		assert.deepEqual([keptList("taps"), keptList("taps", null)], [[], null], odd);
	}
});
