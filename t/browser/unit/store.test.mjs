import assert from "node:assert/strict";
import test from "node:test";
import { load, order } from "./load.mjs";

const { Store, NO_FILTER, liveness } = await load("board/store.js");
const NOW = Date.parse("2030-02-24T10:00:00Z");
const dateOf = (ms) => new Date(ms).toISOString().slice(0, 10);
const view = (store, filter = {}, now = NOW) => store.view(now, { ...NO_FILTER, ...filter }, dateOf);
const ids = (orders) => orders.map((o) => o.id);
const take = (store, ...orders) => store.take(orders, store.tick());

test("the newest version counts, in whatever order answers come", () => {
	const store = new Store();
	const [first, second] = [store.tick(), store.tick()];
	store.take([order({ version: 3, status: "preparing" })], second);
	store.take([order({ version: 2, status: "confirmed" })], first);
	assert.equal(store.get(1).version, 3);
});

test("an older version asked for after the newer was learned is the database's", () => {
	const store = new Store();
	take(store, order({ version: 3, status: "preparing" }));
	take(store, order({ version: 2, status: "confirmed" }));
	assert.equal(store.get(1).status, "confirmed");
});

test("an older version of a question that began before counts not, even if it began after the newer one's", () => {
	const store = new Store();
	const [first, second] = [store.tick(), store.tick()];
	store.take([order({ version: 3, status: "preparing" })], first);
	store.take([order({ version: 2, status: "confirmed" })], second);
	assert.equal(store.get(1).status, "preparing");
});

test("what did not change is the same object", () => {
	const store = new Store();
	take(store, order());
	const before = store.get(1);
	take(store, order());
	assert.equal(store.get(1), before);
	take(store, order({ accept_by: "2030-02-24T10:10:00+00:00" }));
	assert.notEqual(store.get(1), before);
});

test("what rings", async (t) => {
	const cases = [
		["pending, never changed", order(), true],
		["pending, somebody set its price", order({ version: 2 }), false],
		["confirmed as it came", order({ status: "confirmed" }), true],
		["confirmed by somebody", order({ status: "confirmed", version: 2 }), false],
		["cancelled", order({ status: "cancelled", version: 2 }), false],
	];
	for (const [name, one, rings] of cases) {
		await t.test(name, () => {
			const store = new Store([]);
			take(store, one);
			assert.deepEqual(store.ringing(), rings ? [1] : []);
		});
	}
});

test("touched rings no more, here and after a reload", () => {
	const store = new Store([]);
	take(store, order(), order({ id: 2 }));
	assert.equal(store.touch([1]), true);
	assert.equal(store.touch([1]), false);
	assert.deepEqual(store.ringing(), [2]);
	const reloaded = new Store(store.saved());
	take(reloaded, order(), order({ id: 2 }));
	assert.deepEqual(reloaded.ringing(), [2]);
});

test("what is kept is bounded: what can't ring any more is dropped, then the oldest", () => {
	const store = new Store([7]);
	take(store, order({ id: 1, version: 2, status: "confirmed" }), order({ id: 2 }));
	store.touch([1, 2]);
	assert.deepEqual(store.saved(), [7, 2], "7 was not read yet: it may be there");
	store.settle(store.tick());
	assert.deepEqual(store.saved(), [2]);
	const many = Array.from({ length: 1500 }, (_, i) => order({ id: i + 1 }));
	store.take(many, store.tick());
	store.touch(ids(many));
	assert.equal(store.saved().length, 1000);
	assert.equal(Math.min(...store.saved()), 501);
});

test("a device that never showed the shop rings for what waits, not for what confirmed itself before", () => {
	const fresh = new Store(null);
	take(fresh, order({ id: 1, status: "confirmed" }), order({ id: 2 }));
	assert.deepEqual(fresh.ringing(), [2], "not even for a moment");
	fresh.settle(fresh.tick());
	assert.deepEqual(fresh.ringing(), [2]);
	take(fresh, order({ id: 3, status: "confirmed" }));
	fresh.settle(fresh.tick());
	assert.deepEqual(fresh.ringing(), [2, 3]);
	const known = new Store([]);
	take(known, order({ id: 1, status: "confirmed" }));
	known.settle(known.tick());
	assert.deepEqual(known.ringing(), [1]);
});

test("an announced order rings before it is read, and once", () => {
	const store = new Store([]);
	const asked = store.tick();
	store.announce({ order_id: 5, customer_name: "Kiran" });
	assert.deepEqual(store.ringing(), [5]);
	assert.equal(view(store).waiting, 1);
	store.settle(asked);
	assert.deepEqual(store.ringing(), [5], "that list was asked for before the order was announced");
	take(store, order({ id: 5 }));
	assert.deepEqual(store.ringing(), [5]);
	assert.equal(view(store).announced.length, 0);
	store.announce({ order_id: 5 });
	assert.equal(view(store).announced.length, 0);
	store.announce({ order_id: 6 });
	store.settle(store.tick());
	assert.deepEqual(store.ringing(), [5], "a list of after the announcement has no such order");
});

test("what vanished from the list of open orders, but not what was learned after it was asked for", () => {
	const store = new Store();
	take(store, order({ id: 1 }), order({ id: 2 }), order({ id: 3, status: "picked_up", version: 4 }));
	const asked = store.tick();
	take(store, order({ id: 4 }));
	assert.deepEqual(store.vanished([1], asked), [2]);
	store.forget(2);
	assert.equal(store.get(2), undefined);
});

test("columns, the most urgent first; finished ones by their end", () => {
	const store = new Store([]);
	take(
		store,
		order({ id: 1, order_type: "pre_order", scheduled_pickup_time: "2030-02-24T17:00:00+00:00" }),
		order({ id: 2, created_at: "2030-02-24T09:59:00+00:00" }),
		order({ id: 3, status: "ready", version: 3 }),
		order({ id: 4, status: "picked_up", version: 4, updated_at: "2030-02-24T09:00:00+00:00" }),
		order({ id: 5, status: "cancelled", version: 2, updated_at: "2030-02-24T09:30:00+00:00" }),
	);
	const { columns, waiting } = view(store);
	assert.deepEqual(Object.fromEntries(Object.entries(columns).map(([k, v]) => [k, ids(v)])), {
		pending: [2, 1],
		confirmed: [],
		preparing: [],
		ready: [3],
		finished: [5, 4],
	});
	assert.equal(waiting, 2);
});

test("finished ones are bounded", () => {
	const store = new Store([]);
	store.take(
		Array.from({ length: 300 }, (_, i) => order({ id: i + 1, status: "picked_up", version: 4 })),
		store.tick(),
	);
	assert.equal(view(store).columns.finished.length, 100);
});

test("orders that nobody accepted in time are told of once, not those of before this page was opened", () => {
	const store = new Store([]);
	const gone = { status: "cancelled", version: 2, cancelled_by: "system", cancel_reason: "not_accepted_in_time" };
	take(store, order({ id: 1 }), order({ id: 2, ...gone }), order({ id: 3 }));
	store.settle(store.tick());
	assert.deepEqual(store.takeMissed(), []);
	take(
		store,
		order({ id: 1, ...gone }),
		order({ id: 2, ...gone }),
		order({ id: 3, ...gone, cancelled_by: "shopkeeper" }),
		order({ id: 4, ...gone }),
	);
	assert.deepEqual(ids(store.takeMissed()), [1, 4]);
	take(store, order({ id: 1, ...gone }));
	assert.deepEqual(store.takeMissed(), []);
});

test("filters", async (t) => {
	const later = order({ id: 1, version: 2, order_type: "pre_order", scheduled_pickup_time: "2030-02-24T17:00:00+00:00", customer_name: "Ärmel" });
	const tomorrow = order({ id: 2, version: 2, order_type: "pre_order", scheduled_pickup_time: "2030-02-25T09:00:00+00:00" });
	const now = order({ id: 13, version: 2 });
	const cases = [
		[{}, [13, 1, 2], 0],
		[{ type: "instant" }, [13], 2],
		[{ type: "pre_order" }, [1, 2], 1],
		[{ when: "today" }, [13, 1], 1],
		[{ when: "soon" }, [13], 2],
		[{ text: "ärm" }, [1], 2],
		[{ text: "#13" }, [13], 2],
		[{ text: "RICE" }, [13, 1, 2], 0],
		[{ text: "<b>" }, [], 3],
	];
	for (const [filter, shown, hidden] of cases) {
		await t.test(JSON.stringify(filter), () => {
			const store = new Store([]);
			take(store, later, tomorrow, now);
			const drawn = view(store, filter);
			assert.deepEqual(ids(drawn.columns.pending), shown);
			assert.equal(drawn.hidden, hidden);
		});
	}
	await t.test("what rings is never hidden", () => {
		const store = new Store([]);
		take(store, order({ id: 3 }));
		assert.deepEqual(ids(view(store, { text: "nothing like it" }).columns.pending), [3]);
		store.touch([3]);
		assert.equal(view(store, { text: "nothing like it" }).hidden, 1);
	});
});

test("when an order is due", async (t) => {
	const at = (time) => Date.parse(time);
	await t.test("pending: until it must be accepted", () => {
		const store = new Store();
		const one = order({ accept_by: "2030-02-24T10:05:00+00:00" });
		take(store, one);
		assert.deepEqual(store.due(one), { kind: "accept", at: at("2030-02-24T10:05:00Z") });
		assert.equal(store.isLate(one, at("2030-02-24T10:05:00Z")), false);
		assert.equal(store.isLate(one, at("2030-02-24T10:05:01Z")), true);
	});
	await t.test("a pre-order: its pickup time, late until it is ready", () => {
		const store = new Store();
		const one = order({ order_type: "pre_order", scheduled_pickup_time: "2030-02-24T12:00:00+00:00", status: "preparing", version: 3 });
		assert.deepEqual(store.due(one), { kind: "pickup", at: at("2030-02-24T12:00:00Z") });
		assert.equal(store.isLate(one, at("2030-02-24T12:01:00Z")), true);
		assert.equal(store.isLate({ ...one, status: "ready" }, at("2030-02-24T12:01:00Z")), false);
		assert.equal(store.isLate({ ...one, status: "cancelled" }, at("2030-02-24T12:01:00Z")), false);
	});
	await t.test("an instant one: its estimate from when it was given, whatever changes later", () => {
		const store = new Store();
		const confirmed = order({ version: 2, status: "confirmed", estimated_preparation_minutes: 20, updated_at: "2030-02-24T10:01:00+00:00" });
		take(store, confirmed);
		const preparing = { ...confirmed, version: 3, status: "preparing", updated_at: "2030-02-24T10:10:00+00:00" };
		take(store, preparing);
		assert.deepEqual(store.due(preparing), { kind: "promise", at: at("2030-02-24T10:21:00Z") });
		assert.deepEqual(store.unpromised(), []);
		const longer = { ...preparing, version: 4, estimated_preparation_minutes: 30, updated_at: "2030-02-24T10:12:00+00:00" };
		take(store, longer);
		assert.deepEqual(store.due(longer), { kind: "promise", at: at("2030-02-24T10:42:00Z") });
	});
	await t.test("an estimate that came in one of several changes is not dated by the last", () => {
		const store = new Store();
		const confirmed = { version: 2, status: "confirmed", estimated_preparation_minutes: 20 };
		take(store, order(confirmed));
		take(store, order({ ...confirmed, version: 4, estimated_preparation_minutes: 30, updated_at: "2030-02-24T10:10:00+00:00" }));
		assert.deepEqual(store.unpromised(), [1]);
		assert.equal(store.due(store.get(1)), null);
	});
	await t.test("where the change that gave the estimate was not seen, the history tells", () => {
		const store = new Store();
		const one = order({ version: 5, status: "preparing", estimated_preparation_minutes: 20, updated_at: "2030-02-24T10:10:00+00:00" });
		take(store, one);
		assert.equal(store.due(one), null);
		assert.deepEqual(store.unpromised(), [1]);
		const entry = (minutes, time) => ({ estimated_preparation_minutes: minutes, at: `2030-02-24T${time}:00+00:00` });
		store.takeHistory(1, [entry(null, "10:00"), entry(20, "10:01"), entry(30, "10:02"), entry(20, "10:05"), entry(20, "10:10")]);
		assert.deepEqual(store.due(one), { kind: "promise", at: at("2030-02-24T10:25:00Z") });
		assert.deepEqual(store.unpromised(), []);
	});
});

test("how true what is shown is", () => {
	const cases = [
		[{ age: null, channel: "connecting", isFailing: false }, "connecting"],
		[{ age: null, channel: "live", isFailing: true }, "offline"],
		[{ age: 3000, channel: "live", isFailing: false }, "live"],
		[{ age: 3000, channel: "offline", isFailing: false }, "polling"],
		[{ age: 3000, channel: "live", isFailing: true }, "offline"],
		[{ age: 21000, channel: "live", isFailing: false }, "stale"],
		[{ age: 3600000, channel: "live", isFailing: true }, "stale"],
		// A page that nobody sees asks every half minute, or every minute where the browser slows it down.
		[{ age: 62000, channel: "live", isFailing: false, isHidden: true }, "live"],
		[{ age: 62000, channel: "offline", isFailing: false, isHidden: true }, "polling"],
		[{ age: 62000, channel: "live", isFailing: true, isHidden: true }, "offline"],
		[{ age: 91000, channel: "live", isFailing: false, isHidden: true }, "stale"],
	];
	for (const [state, kind] of cases) assert.equal(liveness(state), kind, JSON.stringify(state));
});
