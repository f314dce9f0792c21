// What is said of each refusal, and what is offered.
import assert from "node:assert/strict";
import test from "node:test";

import { load } from "./load.mjs";

const { explain } = await load("order/refusal.js");
const { isFit, shrunk } = await load("order/photo.js");
const { OrderBook, isOpen, steps } = await load("order/orderbook.js");

const LINES = [{ product_id: 1, quantity: 3, name: "Rice" }, { product_id: 2, quantity: 1, name: "<b>Dal" }];
const T = "2030-02-26T17:00:00+05:30";
const of = (code, members = {}, shop = {}) => {
	const { say, offers } = explain({ code, members }, LINES, shop);
	return [say.map(({ word }) => word.replace("order.", "")), offers];
};

test("the stock", () => {
	const members = { items: [{ product_id: 1, available: 2 }, { product_id: 2, available: 0 }] };
	const { say, offers } = explain({ code: "out_of_stock", members }, LINES, {});
	assert.deepEqual(say, [
		{ word: "order.refused.short", values: { name: "Rice", n: 2 } }, { word: "order.refused.none", values: { name: "<b>Dal", n: 0 } },
	]);
	assert.deepEqual(offers, [{ kind: "quantity", product_id: 1, quantity: 2, name: "Rice" }, { kind: "remove", product_id: 2, name: "<b>Dal" }]);
});

test("times", () => {
	for (const code of ["outside_hours", "too_soon", "too_far", "slot_full"]) {
		assert.deepEqual(of(code, { alternatives: [T] }), [[`refused.${code}`, "refused.instead"], [{ kind: "time", time: T }]]);
		assert.deepEqual(of(code, { alternatives: [] }), [[`refused.${code}`, "refused.no_time"], []]);
		assert.deepEqual(of(code), [[`refused.${code}`, "refused.no_time"], []]);
	}
	assert.deepEqual(of("shop_closed", { opens_at: T }), [["refused.closed_until"], [{ kind: "time", time: T }, { kind: "later" }]]);
	assert.deepEqual(of("shop_closed", { opens_at: null }), [["refused.closed"], [{ kind: "later" }]]);
	const open = { pre_orders_while_paused: true };
	assert.deepEqual(of("shop_paused", { resumes_at: T }, open), [["refused.paused"], [{ kind: "time", time: T }, { kind: "later" }]]);
	assert.deepEqual(of("shop_paused", { resumes_at: T }, { pause_reason: "Power cut" }), [["refused.paused", "pause_reason"], []]);
	assert.deepEqual(of("shop_paused", { resumes_at: T }, undefined), [["refused.paused"], []]);
});

test("every fault", () => {
	const fault = (field) => of("validation_failed", { errors: [{ field, message: "m" }] });
	assert.deepEqual(fault("items[1].product_id"), [["refused.off_sale"], [{ kind: "remove", product_id: 2, name: "<b>Dal" }]]);
	assert.deepEqual(fault("items[0].special_instructions"), [["refused.wish"], []]);
	assert.deepEqual(fault("items[0].quantity"), [["refused.field"], []]);
	assert.deepEqual(fault("items[7].product_id"), [["refused.field"], []]);
	assert.deepEqual(fault("scheduled_pickup_time"), [["refused.past"], [{ kind: "later" }]]);
	assert.deepEqual(fault("list_image_url"), [["refused.photo"], [{ kind: "no_photo" }]]);
	assert.deepEqual(fault("order_notes"), [["refused.notes"], []]);
	assert.deepEqual(fault("items"), [["refused.items"], []]);
	assert.deepEqual(fault("Idempotency-Key"), [["refused.field"], []]);
	const both = of("validation_failed", { errors: [{ field: "order_notes", message: "m" }, { field: "items[0].product_id", message: "m" }] });
	assert.deepEqual(both, [["refused.notes", "refused.off_sale"], [{ kind: "remove", product_id: 1, name: "Rice" }]]);
});

test("who can't, and where nobody can", () => {
	assert.deepEqual(of("forbidden"), [["refused.not_customer"], [{ kind: "sign_in" }]]);
	assert.deepEqual(of("not_found"), [["refused.no_shop"], [{ kind: "shops" }]]);
	assert.deepEqual(of("internal"), [[], []]);
});

test("which photos are sent as they are, and how small others are drawn", () => {
	assert.ok(isFit({ type: "image/jpeg", size: 1000000 }, 2400, 1800));
	assert.ok(!isFit({ type: "image/jpeg", size: 1600000 }, 100, 100));
	assert.ok(!isFit({ type: "image/png", size: 1000 }, 2401, 10));
	for (const type of ["image/heic", "image/gif", ""]) assert.ok(!isFit({ type, size: 10 }, 10, 10));
	assert.deepEqual(shrunk(4000, 3000), { width: 2400, height: 1800 });
	assert.deepEqual(shrunk(3000, 4000), { width: 1800, height: 2400 });
	assert.deepEqual(shrunk(100, 50), { width: 100, height: 50 });
	assert.deepEqual(shrunk(50000, 1), { width: 2400, height: 1 });
});

test("an answer that was overtaken changes nothing", () => {
	const book = new OrderBook();
	const heard = [];
	book.addEventListener("change", ({ detail: { order, before } }) => heard.push([order.status, before?.status]));
	for (const [id, version, status] of [[1, 1, "pending"], [1, 3, "ready"], [1, 2, "confirmed"], [1, 3, "ready"], [2, 1, "pending"]]) {
		book.take({ id, version, status });
	}
	assert.deepEqual(heard, [["pending", undefined], ["ready", "pending"], ["pending", undefined]]);
	assert.deepEqual(book.list().map(({ id, status }) => [id, status]), [[2, "pending"], [1, "ready"]]);
});

test("the steps of an order", () => {
	const states = (status) => steps({ status }).map(({ state }) => state).join(" ");
	assert.equal(states("pending"), "now ahead ahead ahead ahead");
	assert.equal(states("ready"), "done done done now ahead");
	assert.equal(states("picked_up"), "done done done done now");
	assert.equal(states("cancelled"), "done now");
	assert.deepEqual(["pending", "ready", "picked_up", "cancelled"].map((status) => isOpen({ status })), [true, true, false, false]);
});
