import assert from "node:assert/strict";
import test from "node:test";
import { load, order, Time } from "./load.mjs";

const { Store } = await load("board/store.js");
const { Sync } = await load("board/sync.js");

class Refusal extends Error {
	constructor(status) {
		super();
		this.status = status;
	}
}

/** A server with a table of orders, which answers as the API does; fail is what it throws instead, hang keeps it from answering. */
class Server {
	constructor(time) {
		Object.assign(this, { time, orders: new Map(), asked: [], fail: null, hang: null, skew: 0, pageSize: 200, histories: {} });
	}
	put(one, at = this.time.now() + this.skew) {
		this.orders.set(one.id, { ...one, updated_at: new Date(at).toISOString() });
	}
	read = async (path) => {
		this.asked.push(path);
		const answer = this.#answer(path);
		if (this.hang) await this.hang;
		if (this.fail) throw this.fail;
		if (answer instanceof Error) throw answer;
		return answer;
	};
	#answer(path) {
		const url = new URL(path, "http://x");
		const headers = new Map([["Date", new Date(this.time.now() + this.skew).toUTCString()]]);
		const [, , id, history] = url.pathname.split("/");
		if (history === "history") return { value: this.histories[id] ?? [], headers };
		if (id !== "shop") return this.orders.has(Number(id)) ? { value: this.orders.get(Number(id)), headers } : new Refusal(404);
		const statuses = url.searchParams.getAll("status");
		const since = Date.parse(url.searchParams.get("updated_since") ?? 0);
		const all = [...this.orders.values()]
			.filter((o) => (!statuses.length || statuses.includes(o.status)) && Date.parse(o.updated_at) >= since)
			.sort((a, b) => b.id - a.id);
		const from = Number(url.searchParams.get("cursor") ?? 0);
		url.searchParams.set("cursor", from + this.pageSize);
		return { value: all.slice(from, from + this.pageSize), next: all.length > from + this.pageSize ? url.pathname + url.search : null, headers };
	}
}

function made({ skew = 0 } = {}) {
	const time = new Time();
	const server = new Server(time);
	server.skew = skew;
	const store = new Store([]);
	const seen = { turns: [], lost: [] };
	const sync = new Sync({
		...time.parts,
		read: server.read,
		store,
		shop: 1,
		onTurn: (p) => seen.turns.push(p?.status ?? null),
		onLost: (p) => seen.lost.push(p.status),
	});
	return { time, server, store, sync, seen };
}
/** What the store would draw is what the table holds. */
function isSame({ store, server, time }) {
	const { columns } = store.view(time.now(), { type: "all", when: "any", text: "" }, String);
	const shown = Object.values(columns)
		.flat()
		.map((o) => `${o.id}-${o.version}-${o.status}`)
		.sort();
	assert.deepEqual(shown, [...server.orders.values()].map((o) => `${o.id}-${o.version}-${o.status}`).sort());
}

test("everything at first, then the changes", async () => {
	const all = made();
	all.server.put(order({ id: 1 }));
	all.server.put(order({ id: 2, status: "picked_up", version: 4 }));
	all.sync.hurry();
	await all.time.tick();
	assert.equal(all.store.isComplete, true);
	isSame(all);
	all.server.asked.length = 0;
	all.server.put(order({ id: 1, version: 2, status: "confirmed" }));
	await all.time.tick(5000);
	isSame(all);
	assert.deepEqual(all.server.asked, ["/orders/shop/1?updated_since=2030-02-24T09:59:00.000Z&limit=200"]);
	assert.equal(all.sync.age(), 0);
});

test("all pages, without an end of their number", async () => {
	const all = made();
	all.server.pageSize = 7;
	for (let id = 1; id <= 500; id++) all.server.put(order({ id }));
	all.sync.hurry();
	await all.time.tick();
	isSame(all);
});

test("asleep for an hour: what changed meanwhile is there with the first reading", async () => {
	const all = made();
	for (let id = 1; id <= 3; id++) all.server.put(order({ id }));
	all.sync.hurry();
	await all.time.tick();
	all.time.sleep(1800000);
	all.server.put(order({ id: 1, version: 5, status: "picked_up" }));
	all.server.put(order({ id: 4 }));
	all.time.sleep(1800000);
	assert.equal(all.sync.age(), 3600000);
	all.sync.hurry();
	await all.time.tick();
	isSame(all);
	assert.equal(all.sync.age(), 0);
	assert.ok(all.store.ringing().includes(4));
});

test("asleep for two days: what is no longer open is asked for by itself", async () => {
	const all = made();
	for (let id = 1; id <= 3; id++) all.server.put(order({ id }));
	all.sync.hurry();
	await all.time.tick();
	all.server.put(order({ id: 1, version: 5, status: "picked_up" }));
	all.time.sleep(2 * 86400000);
	all.server.put(order({ id: 4 }));
	all.sync.hurry();
	await all.time.tick();
	isSame(all);
	assert.ok(all.server.asked.includes("/orders/1"));
});

test("an order that is no longer there is shown no longer", async () => {
	const all = made();
	all.server.put(order({ id: 1 }));
	all.server.put(order({ id: 2 }));
	all.sync.hurry();
	await all.time.tick();
	all.server.orders.delete(1);
	all.sync.readWhole();
	await all.time.tick();
	isSame(all);
});

test("without an answer it grows old, says so, and asks again", async () => {
	const { time, server, sync, seen } = made();
	sync.hurry();
	await time.tick();
	server.fail = new Refusal(0);
	await time.tick(20000);
	assert.equal(sync.isFailing, true);
	assert.equal(sync.age(), 20000);
	assert.deepEqual(seen.turns, [null, 0, 0, 0, 0]);
	server.fail = null;
	await time.tick(5000);
	assert.equal(sync.isFailing, false);
	assert.equal(sync.age(), 0);
});

test("what was read before the failure of the second page is not called fresh, and is read again", async () => {
	const all = made();
	all.server.pageSize = 1;
	all.server.put(order({ id: 1 }));
	all.server.put(order({ id: 2 }));
	const read = all.sync.read;
	all.sync.read = (path) => (path.includes("cursor") ? Promise.reject(new Refusal(0)) : read(path));
	all.sync.hurry();
	await all.time.tick();
	assert.equal(all.sync.age(), null);
	assert.equal(all.store.isComplete, false);
	all.sync.read = read;
	await all.time.tick(5000);
	isSame(all);
});

test("a reading that hangs keeps nobody waiting, and its end changes nothing", async () => {
	const all = made();
	all.server.put(order({ id: 1 }));
	all.sync.hurry();
	await all.time.tick();
	let release;
	all.server.hang = new Promise((resolve) => (release = resolve));
	await all.time.tick(5000);
	all.server.hang = null;
	all.time.sleep(3000);
	all.server.put(order({ id: 1, version: 2, status: "confirmed" }));
	all.sync.hurry();
	await all.time.tick();
	isSame(all);
	const { freshAt } = all.sync;
	all.server.fail = new Refusal(0);
	release();
	await all.time.tick();
	assert.equal(all.sync.isFailing, false);
	assert.equal(all.sync.freshAt, freshAt);
	isSame(all);
});

test("a reading that hung and was answered in the end makes nothing older", async () => {
	const { time, server, sync } = made();
	sync.hurry();
	await time.tick();
	let release;
	server.hang = new Promise((resolve) => (release = resolve));
	await time.tick(5000);
	server.hang = null;
	time.sleep(10000);
	sync.hurry();
	await time.tick();
	assert.equal(sync.age(), 0);
	release();
	await time.tick();
	assert.equal(sync.age(), 0);
});

test("hurried while it hangs, it waits for no answer", async () => {
	const all = made();
	all.sync.hurry();
	await all.time.tick();
	all.server.hang = new Promise(() => {});
	await all.time.tick(5500);
	all.server.hang = null;
	all.server.put(order({ id: 1 }));
	all.sync.hurry();
	await all.time.tick(1499);
	assert.equal(all.store.get(1), undefined);
	await all.time.tick(1);
	isSame(all);
});

test("hurried while it reads, it reads once more", async () => {
	const { time, server, sync } = made();
	sync.hurry();
	sync.hurry();
	sync.hurry();
	await time.tick();
	assert.equal(server.asked.filter((path) => path.includes("updated_since") && !path.includes("status")).length, 1);
});

test("a device whose clock is wrong asks by the server's", async () => {
	for (const skew of [-86400000, 86400000]) {
		const all = made({ skew });
		all.server.put(order({ id: 1 }));
		all.sync.hurry();
		await all.time.tick();
		all.server.put(order({ id: 1, version: 2, status: "confirmed" }));
		await all.time.tick(5000);
		isSame(all);
		assert.ok(Math.abs(all.sync.serverNow() - all.time.now() - skew) < 1000);
	}
});

test("a clock that is set back makes nothing fresh", async () => {
	const { time, sync } = made();
	let steady = 0;
	sync.steady = () => steady;
	sync.hurry();
	await time.tick();
	steady = 60000;
	time.sleep(-3600000);
	assert.equal(sync.age(), 60000);
});

test("somebody else's shop, or none", async () => {
	for (const status of [403, 404]) {
		const { time, server, sync, seen } = made();
		server.fail = new Refusal(status);
		sync.hurry();
		await time.tick(60000);
		assert.deepEqual(seen.lost, [status]);
		assert.equal(server.asked.length, 1);
	}
});

test("a 404 that is not the program's says nothing of the shop, nor of an order", async () => {
	const all = made();
	all.server.put(order({ id: 1 }));
	all.sync.hurry();
	await all.time.tick();
	all.server.fail = Object.assign(new Refusal(404), { isPassing: true });
	await all.time.tick(10000);
	assert.deepEqual([all.seen.lost, all.sync.isFailing], [[], true]);
	await assert.rejects(all.sync.readOne(1));
	all.server.fail = null;
	await all.time.tick(5000);
	isSame(all);
});

test("two tablets at once end up with the same", async () => {
	const first = made();
	const second = { ...first, store: new Store([]) };
	second.sync = new Sync({ ...first.time.parts, read: first.server.read, store: second.store, shop: 1, onTurn() {}, onLost() {} });
	first.server.put(order({ id: 1 }));
	for (const { sync } of [first, second]) sync.hurry();
	await first.time.tick();
	first.server.put(order({ id: 1, version: 2, status: "confirmed" }));
	first.store.take([first.server.orders.get(1)], first.store.tick());
	assert.equal(second.store.get(1).version, 1);
	await first.time.tick(5000);
	isSame(first);
	isSame(second);
	assert.deepEqual(second.store.ringing(), [], "touched on the other one");
});

test("estimates whose beginning nobody saw are looked up, once", async () => {
	const { time, server, store, sync } = made();
	server.put(order({ id: 1, version: 3, status: "preparing", estimated_preparation_minutes: 20 }));
	server.histories[1] = [{ estimated_preparation_minutes: 20, at: "2030-02-24T09:50:00+00:00" }];
	sync.hurry();
	await time.tick(20000);
	assert.equal(store.due(store.get(1)).at, Date.parse("2030-02-24T10:10:00Z"));
	assert.equal(server.asked.filter((path) => path.endsWith("/history")).length, 1);
});
