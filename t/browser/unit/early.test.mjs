// What is asked for before the page is there: given once, to whom it was asked for, and only while it is fresh.
import assert from "node:assert/strict";
import test from "node:test";
import { load } from "./load.mjs";

const { ask } = await load("lib/early.js");
const { Problem, request } = await load("lib/api.js");
globalThis.location = { href: "https://shop.example/order/", origin: "https://shop.example" };
const BEARER = { Authorization: "Bearer a" };

/** What the network is asked for, by path; answers is what it says, in turn: a status, or null where no answer comes. */
function network(...answers) {
	const seen = [];
	globalThis.fetch = async (path, { headers }) => {
		seen.push([path, headers]);
		const status = answers.shift();
		if (status === null) throw new TypeError("no network");
		return new Response(JSON.stringify({ n: seen.length }), { status });
	};
	return seen;
}

test("what was asked for early is not asked for again, but once", async () => {
	const seen = network(200, 200);
	ask("/orders/1", "a");
	assert.deepEqual((await request("GET", "/orders/1", { token: "a" })).value, { n: 1 });
	assert.deepEqual(seen, [["/api/v1/orders/1", BEARER]]);
	assert.deepEqual((await request("GET", "/orders/1", { token: "a" })).value, { n: 2 });
});

test("it is for whoever asked, by that path, and for reading", async () => {
	network(200, 200, 200, 200, 200);
	ask("/orders/1", "a");
	const others = [["GET", "/orders/1", { token: "b" }], ["GET", "/orders/1", {}], ["GET", "/orders/2", { token: "a" }], ["PATCH", "/orders/1", { token: "a" }]];
	for (const [i, other] of others.entries()) assert.deepEqual((await request(...other)).value, { n: i + 2 });
	assert.deepEqual((await request("GET", "/orders/1", { token: "a" })).value, { n: 1 });
});

test("what never came is asked for again, and a refusal is one", async () => {
	const seen = network(null, 200, 503);
	await ask("/shops/");
	assert.deepEqual((await request("GET", "/shops/")).value, { n: 2 });
	assert.equal(seen.length, 2);
	ask("/shops/");
	const problem = await request("GET", "/shops/").catch((p) => p);
	assert.ok(problem instanceof Problem);
	assert.deepEqual([problem.status, seen.length], [503, 3]);
});

test("what is taken late is asked for again", async (t) => {
	let at = 1000;
	t.mock.method(performance, "now", () => at);
	network(200, 200, 200);
	ask("/shops/");
	at += 9999;
	assert.deepEqual((await request("GET", "/shops/")).value, { n: 1 });
	ask("/shops/");
	at += 10000;
	assert.deepEqual((await request("GET", "/shops/")).value, { n: 3 });
});
