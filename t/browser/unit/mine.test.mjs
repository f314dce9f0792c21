// An order in one line.
import assert from "node:assert/strict";
import test from "node:test";
import { load, order } from "./load.mjs";

const { summary } = await load("order/mine.js");

test("a name that is written from right to left keeps to its own number", () => {
	const items = [["أرز", 2], ["دال", 1]].map(([product_name, quantity]) => ({ product_name, quantity }));
	assert.equal(summary(order({ items })), "2 × \u2068أرز\u2069, 1 × \u2068دال\u2069");
});
