// Placing once: against a server that remembers keys as the real one does, with answers and requests that get lost or come late.
import assert from "node:assert/strict";
import test from "node:test";

import { load } from "./load.mjs";

const { begin, isForgotten, latest, meaning, pending, place } = await load("order/attempt.js");

const problem = (status, code = "unknown") => ({ status, code, members: {} });
const LOST = problem(0, "offline");
const HOUR = 3600000;

/** Orders by key; fate(n) says what happens to the n-th request: "lost" (never arrives), "deaf" (its answer is lost), a problem, or nothing. */
class Server {
	constructor(fate = () => {}) {
		Object.assign(this, { fate, orders: [], asked: 0 });
	}
	send = async (text, key) => {
		const fate = this.fate(++this.asked, JSON.parse(text));
		if (fate === "lost") throw LOST;
		if (fate?.status) throw fate;
		const known = this.orders.find((order) => order.key === key);
		if (known && known.text !== text) throw problem(422, "idempotency_key_reused");
		if (!known) this.arrive(text, key);
		if (fate === "deaf") throw LOST;
		return this.orders.find((order) => order.key === key);
	};
	arrive(text, key) {
		this.orders.push({ id: this.orders.length + 1, text, key });
	}
}

/** A browser: what it keeps, over reloads. Its basket has a key until that is used. */
class Browser {
	constructor(server) {
		Object.assign(this, { server, memory: null, clock: 0, keys: 1, pauses: 0 });
	}
	async place(body, pause = async () => true) {
		const answer = await place(body, `key-${this.keys}`, {
			send: this.server.send, kept: () => structuredClone(this.memory), keep: (attempt) => { this.memory = structuredClone(attempt); },
			pause: (...of) => (this.pauses++, pause(...of)), now: () => this.clock,
		});
		if (answer.order || answer.isLost) this.keys = this.server.orders.length + 1;
		return answer;
	}
}

const RICE = { shop_id: 1, items: [{ product_id: 1, quantity: 2 }] };
const DAL = { shop_id: 1, items: [{ product_id: 2, quantity: 1 }] };

test("an order", async () => {
	const browser = new Browser(new Server());
	const answer = await browser.place(RICE);
	assert.deepEqual([answer.order.id, answer.isEarlier, browser.memory], [1, false, null]);
	await browser.place(RICE);
	assert.deepEqual(browser.server.orders.map(({ key }) => key), ["key-1", "key-2"], "another basket is another order");
});

test("requests and answers that get lost, and servers that are away", async () => {
	const refused = [problem(503, "unavailable"), problem(500, "internal"), problem(429, "rate_limited"), problem(502), problem(403)];
	for (const fates of [["lost", "lost"], ["deaf"], ["deaf", "lost", "deaf"], [refused[1], "deaf"], ...refused.map((fate) => [fate])]) {
		const browser = new Browser(new Server((n) => fates[n - 1]));
		const answer = await browser.place(RICE);
		assert.deepEqual([answer.order.id, browser.server.orders.length, browser.pauses, browser.keys], [1, 1, fates.length, 2], JSON.stringify(fates));
	}
});

test("the key is kept before anything is sent", async () => {
	const browser = new Browser(new Server());
	browser.server.fate = () => assert.equal(browser.memory.key, "key-1");
	await browser.place(RICE);
});

test("a reload amid it all goes on with the same", async () => {
	const browser = new Browser(new Server((n) => (n === 1 ? "deaf" : undefined)));
	await new Promise((resolve) => {
		browser.place(RICE, () => (resolve(), new Promise(() => {})));
	});
	assert.equal(pending(browser.memory, browser.clock), "fresh");
	const answer = await browser.place(latest(browser.memory));
	assert.deepEqual([answer.order.id, browser.server.orders.length, browser.memory], [1, 1, null]);
});

test("what somebody stopped is not sent again by itself, and still ordered once at most", async () => {
	const browser = new Browser(new Server((n) => (n === 1 ? "deaf" : undefined)));
	assert.deepEqual(await browser.place(RICE, async () => false), { isStopped: true });
	assert.equal(pending(browser.memory, browser.clock), "old");
	assert.equal((await browser.place(RICE)).order.id, 1);
	assert.equal(browser.server.orders.length, 1);
});

test("two tabs: what one has brought to its end, the other does not open again", async () => {
	const browser = new Browser(new Server((n) => (n === 1 ? "lost" : undefined)));
	let go;
	const first = browser.place(RICE, () => new Promise((resolve) => { go = resolve; }));
	await new Promise(setImmediate);
	await browser.place(RICE);
	go(false);
	assert.deepEqual(await first, { isStopped: true });
	assert.equal(browser.memory, null);
});

test("two taps at once are one order", async () => {
	const browser = new Browser(new Server());
	const [a, b] = await Promise.all([browser.place(RICE), browser.place(RICE)]);
	assert.deepEqual([a.order.id, b.order.id, browser.server.orders.length], [1, 1, 1]);
});

test("two windows that can't know of each other yet are one order", async () => {
	const server = new Server();
	const windows = [new Browser(server), new Browser(server)];
	const answers = await Promise.all(windows.map((browser) => browser.place(RICE)));
	assert.deepEqual([answers.map(({ order }) => order.id), server.orders.length], [[1, 1], 1]);
	const [changed] = await Promise.all([new Browser(server)].map((browser) => browser.place(DAL)));
	assert.deepEqual([changed, server.orders.length], [{ isLost: true }, 1], "one that knows less asks");
});

test("a refusal leaves the key; the changed basket is ordered with it", async () => {
	const browser = new Browser(new Server((n) => (n === 1 ? problem(409, "out_of_stock") : undefined)));
	assert.equal((await browser.place(RICE)).refusal.code, "out_of_stock");
	assert.equal(pending(browser.memory, browser.clock), "none");
	const answer = await browser.place(DAL);
	assert.deepEqual([answer.order.key, answer.isEarlier, browser.server.orders.length], ["key-1", false, 1]);
});

test("the basket was changed while an answer was lost: the order of before is found, and nothing else is ordered", async () => {
	const browser = new Browser(new Server((n) => (n === 1 ? "deaf" : undefined)));
	await browser.place(RICE, async () => false);
	const answer = await browser.place(DAL);
	assert.deepEqual([answer.order.id, answer.isEarlier, JSON.parse(answer.order.text)], [1, true, RICE]);
	assert.deepEqual([browser.server.orders.length, browser.memory], [1, null]);
	assert.equal((await browser.place(DAL)).order.key, "key-2", "what was changed is a basket of its own now");
});

test("a request that comes late, after its basket was refused and changed, orders nothing twice", async () => {
	const browser = new Browser(new Server((n) => ["lost", problem(409, "shop_closed")][n - 1]));
	assert.equal((await browser.place(RICE)).refusal.code, "shop_closed");
	browser.server.arrive(JSON.stringify(RICE), browser.memory.key);
	const answer = await browser.place(DAL);
	assert.deepEqual([answer.order.id, answer.isEarlier, browser.server.orders.length], [1, true, 1]);
});

test("the earlier order is looked for until there is an answer", async () => {
	const browser = new Browser(new Server((n) => ["deaf", undefined, "lost", problem(503, "unavailable")][n - 1]));
	await browser.place(RICE, async () => false);
	const answer = await browser.place(DAL);
	assert.deepEqual([answer.isEarlier, browser.server.orders.length, browser.pauses], [true, 1, 3]);
});

test("a key that was used for what nobody here knows is given up, and nothing is ordered", async () => {
	const browser = new Browser(new Server());
	browser.memory = begin(null, DAL, 0, "key-0");
	browser.server.arrive("{}", "key-0");
	assert.deepEqual(await browser.place(RICE), { isLost: true });
	assert.deepEqual([browser.server.orders.length, browser.memory], [1, null]);
});

test("signed out: nothing was ordered, and what was open before stays open", async () => {
	const out = problem(401, "unauthorized");
	const browser = new Browser(new Server((n) => (n === 1 ? out : undefined)));
	assert.equal((await browser.place(RICE)).isSignedOut, true);
	assert.equal(pending(browser.memory, 0), "none");
	assert.equal((await browser.place(RICE)).order.key, "key-1");

	const other = new Browser(new Server((n) => ["deaf", out][n - 1]));
	assert.equal((await other.place(RICE)).isSignedOut, true);
	assert.equal(pending(other.memory, 0), "fresh");
	assert.equal((await other.place(RICE)).order.id, 1);
	assert.equal(other.server.orders.length, 1);
});

test("what is old is not sent by itself, and a key that the server may have forgotten not at all", async () => {
	const kept = begin(null, RICE, 0, "key-0");
	assert.deepEqual([0, 9 * 60000, 11 * 60000, 19 * HOUR, 21 * HOUR].map((now) => pending(kept, now)), ["fresh", "fresh", "old", "old", "none"]);
	assert.equal(begin(kept, DAL, 19 * HOUR, "key-1").key, "key-0");
	assert.equal(begin(kept, DAL, 21 * HOUR, "key-1").key, "key-1");
	assert.equal(begin(kept, DAL, -1 * HOUR, "key-1").key, "key-0", "a clock that was set back");
	assert.deepEqual([19 * HOUR, 21 * HOUR].map((now) => isForgotten(kept, "key-0", now)), [false, true]);
	assert.ok(!isForgotten(kept, "key-1", 21 * HOUR) && !isForgotten(null, "key-0", 21 * HOUR));
	for (const odd of [null, undefined, 3, {}, { key: 1 }, { key: "a", bodies: [], at: 0 }]) assert.equal(pending(odd, 0), "none");
});

test("bodies are kept once each, the latest last, and not without end", () => {
	let kept = begin(null, RICE, 0, "k");
	kept = begin(kept, DAL, 1, "k");
	kept = begin(kept, RICE, 2, "k");
	assert.deepEqual(kept.bodies.map((text) => JSON.parse(text)), [DAL, RICE]);
	for (let n = 0; n < 50; n++) kept = begin(kept, { n }, 3, "k");
	assert.deepEqual([kept.bodies.length, latest(kept)], [20, { n: 49 }]);
});

test("what answers mean", () => {
	for (const [status, code, wanted] of [
		[0, "offline", "unknown"], [200, "unknown", "unknown"], [400, "malformed_json", "refused"], [401, "unauthorized", "sign_in"],
		[401, "unknown", "unknown"], [403, "forbidden", "refused"], [403, "unknown", "unknown"], [404, "not_found", "refused"],
		[408, "request_timeout", "unknown"], [409, "slot_full", "refused"], [413, "body_too_large", "refused"], [422, "validation_failed", "refused"],
		[422, "idempotency_key_reused", "reused"], [429, "rate_limited", "unknown"], [500, "internal", "unknown"], [503, "unavailable", "unknown"],
	]) {
		assert.equal(meaning(problem(status, code)), wanted, `${status} ${code}`);
	}
});

test("what is no problem of the server's is thrown", async () => {
	const browser = new Browser({ send: async () => { throw new TypeError("a fault of the page"); } });
	await assert.rejects(browser.place(RICE), TypeError);
});
