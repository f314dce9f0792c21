// No word is left over, and none is missing whose name the pages put together.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { html, load } from "./load.mjs";

const en = (await load("words/en.js")).default;

test("every word of the board and of what both pages share is asked for somewhere", () => {
	const asked = new Set();
	const begun = [];
	for (const folder of readdirSync(html, { withFileTypes: true }).filter((d) => d.isDirectory() && d.name !== "words")) {
		for (const file of readdirSync(join(html, folder.name)).filter((f) => /\.(js|html)$/.test(f))) {
			const text = readFileSync(join(html, folder.name, file), "utf8");
			for (const [, name] of text.matchAll(/["'`]((?:board|order|common|problem)\.[a-z0-9_.]+)["'`]/g)) asked.add(name);
			for (const [, name] of text.matchAll(/`((?:board|order|common|problem)\.[a-z0-9_.]*)\$\{/g)) begun.push(name);
		}
	}
	assert.deepEqual(
		Object.keys(en).filter((name) => !name.startsWith("order.") && !asked.has(name) && !begun.some((b) => name.startsWith(b))),
		[],
	);
});

test("words whose names are put together", () => {
	const parts = {
		"board.live_": ["connecting", "live", "offline", "polling", "stale"],
		"board.next_": ["confirmed", "picked_up", "preparing", "ready"],
		"board.by_": ["accept", "promise"],
		"board.paper_": ["58", "80"],
		"board.reason_": ["busy", "closing", "sold_out"],
		"common.": ["instant", "pre_order", "pending", "confirmed", "preparing", "ready", "picked_up", "cancelled"],
	};
	for (const [begin, ends] of Object.entries(parts)) for (const end of ends) assert.ok(begin + end in en, begin + end);
});

test("every refusal of the program has words", () => {
	const problems = readFileSync(join(html, "../../src/problem.c"), "utf8") + readFileSync(join(html, "../problems.conf"), "utf8");
	const codes = new Set([...problems.matchAll(/\d{3}, "([a-z_]+)", "/g), ...problems.matchAll(/"code":"([a-z_]+)"/g)].map(([, code]) => code));
	assert.ok(codes.size > 25);
	assert.deepEqual(
		[...codes].filter((code) => !(`problem.${code}` in en)),
		[],
	);
});
