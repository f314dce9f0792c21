// Baskets: what is kept, and what is sent.
import assert from "node:assert/strict";
import test from "node:test";

import { load } from "./load.mjs";

const {
	Baskets, LINES_MAX, Store, bodyOf, clean, compare, count, emptyBasket, isEmpty, quantityOf, total, withQuantity, withWish,
} = await load("order/basket.js");

const RICE = { id: 1, name: "Rice", price: 60.1, stock: 5 };
const DAL = { id: 2, name: "Dal", price: 0.2, stock: null };

/** As localStorage is, as far as it is used. */
class Memory {
	getItem(name) { return Object.hasOwn(this, name) ? this[name] : null; }
	setItem(name, value) { this[name] = String(value); }
	removeItem(name) { delete this[name]; }
}
const broken = { getItem() { throw new Error("no"); }, setItem() { throw new Error("no"); }, removeItem() { throw new Error("no"); } };

test("quantities", () => {
	let basket = withQuantity(emptyBasket(), RICE, 2);
	basket = withQuantity(basket, DAL, 1);
	basket = withQuantity(basket, RICE, 3);
	assert.deepEqual([quantityOf(basket, 1), quantityOf(basket, 2), quantityOf(basket, 3), count(basket)], [3, 1, 0, 4]);
	assert.equal(total(basket), 180.5);
	assert.deepEqual(basket.lines.map((line) => line.product_id), [1, 2]);
	assert.equal(quantityOf(withQuantity(basket, RICE, 5000), 1), 999);
	for (const none of [0, -1, NaN, "x"]) assert.equal(quantityOf(withQuantity(basket, RICE, none), 1), 0);
	assert.ok(isEmpty(withQuantity(withQuantity(basket, RICE, 0), DAL, 0)));
});

test("sums are of hundredths", () => {
	assert.equal(total(withQuantity(withQuantity(emptyBasket(), { id: 1, name: "a", price: 0.1 }, 3), { id: 2, name: "b", price: 0.7 }, 1)), 1);
	assert.equal(total(withQuantity(emptyBasket(), { id: 1, name: "a", price: 1.005 }, 1)), 1);
	assert.equal(total(withQuantity(emptyBasket(), { id: 1, name: "a", price: 4.35 }, 100)), 435);
});

test("more lines than the server takes are not put in", () => {
	let basket = emptyBasket();
	for (let id = 1; id <= LINES_MAX + 5; id++) basket = withQuantity(basket, { id, name: `p${id}`, price: 1 }, 1);
	assert.equal(basket.lines.length, LINES_MAX);
});

test("what is kept, also by two tabs, and whatever was written there", () => {
	const memory = new Memory();
	const [one, two] = [new Baskets(new Store(memory)), new Baskets(new Store(memory))];
	one.change(7, (basket) => withQuantity(basket, RICE, 2));
	two.change(7, (basket) => withQuantity(basket, DAL, 1));
	assert.deepEqual(one.of(7).lines.map((line) => line.quantity), [2, 1]);
	assert.ok(isEmpty(one.of(8)));
	one.drop(7);
	assert.ok(isEmpty(two.of(7)));
	assert.deepEqual(Object.keys(memory), []);
	const lines = [null, { product_id: "1" }, { product_id: 1, quantity: -1, price: 1 }];
	for (const odd of ["", "{", "null", "3", "\"x\"", "[]", "{\"lines\":3}", JSON.stringify({ lines })]) {
		memory.setItem("pickup.basket.7", odd);
		assert.deepEqual(one.of(7).lines, [], odd);
	}
});

test("a basket has one key from its first line to its end, for all windows", () => {
	const memory = new Memory();
	const [one, two] = [new Baskets(new Store(memory)), new Baskets(new Store(memory))];
	const { key } = one.change(7, (basket) => withQuantity(basket, RICE, 2));
	assert.match(key, /^[0-9a-f]{32}$/);
	two.change(7, (basket) => withWish({ ...withQuantity(basket, DAL, 1), when: "later" }, 1, "x"));
	assert.equal(one.of(7).key, key);
	assert.ok(!JSON.stringify(bodyOf(one.of(7), 7, 1)).includes(key));
	one.drop(7);
	assert.notEqual(two.change(7, (basket) => withQuantity(basket, RICE, 2)).key, key);
});

test("a browser that keeps nothing keeps it for the page", () => {
	for (const storage of [broken, null]) {
		const baskets = new Baskets(new Store(storage));
		baskets.change(7, (basket) => withQuantity(basket, RICE, 2));
		assert.equal(quantityOf(baskets.of(7), 1), 2);
		assert.deepEqual(baskets.store.names("pickup.basket."), ["pickup.basket.7"]);
	}
});

test("a browser that is full: what can't be kept counts all the same, not what was kept before", () => {
	const memory = new Memory();
	const baskets = new Baskets(new Store(memory));
	baskets.change(7, (basket) => withQuantity(basket, RICE, 2));
	memory.setItem = undefined;
	baskets.change(7, (basket) => withQuantity(basket, RICE, 3));
	assert.equal(quantityOf(baskets.of(7), 1), 3);
	delete memory.setItem;
	baskets.change(7, (basket) => withQuantity(basket, RICE, 4));
	assert.equal(quantityOf(baskets.of(7), 1), 4);
	assert.match(memory["pickup.basket.7"], /"quantity":4/);
	memory.setItem = undefined;
	baskets.change(7, (basket) => withQuantity(basket, RICE, 5));
	baskets.drop(7);
	assert.ok(isEmpty(baskets.of(7)));
});

test("names and prices follow the menu, and what is in the way is told", () => {
	let basket = withQuantity(withQuantity(withQuantity(emptyBasket(), RICE, 6), DAL, 1), { id: 9, name: "Gone", price: 1 }, 1);
	const found = compare(basket, [{ ...RICE, price: 61, name: "Red rice" }, DAL]);
	assert.deepEqual(found.basket.lines.map(({ name, price }) => [name, price]), [["Red rice", 61], ["Dal", 0.2], ["Gone", 1]]);
	assert.deepEqual(found.troubles.map(({ line, left }) => [line.product_id, left]), [[1, 5], [9, null]]);
});

test("what is sent", () => {
	let basket = withQuantity(emptyBasket(), RICE, 2);
	assert.deepEqual(bodyOf(basket, 7, 1), { shop_id: 7, order_type: "instant", items: [{ product_id: 1, quantity: 2 }] });
	basket = { ...withWish(basket, 1, " unpolished\r\nplease\u0000 "), notes: "  ", photo: { url: "/api/v1/uploads/x.jpg", user_id: 1 } };
	basket = { ...basket, when: "later", time: "2030-02-26T17:00:00+05:30" };
	assert.deepEqual(bodyOf(basket, 7, 1), {
		shop_id: 7, order_type: "pre_order", scheduled_pickup_time: "2030-02-26T17:00:00+05:30", list_image_url: "/api/v1/uploads/x.jpg",
		items: [{ product_id: 1, quantity: 2, special_instructions: " unpolished\nplease " }],
	});
	assert.equal(bodyOf(basket, 7, 2).list_image_url, undefined);
	assert.equal(bodyOf({ ...basket, when: "now" }, 7, 1).scheduled_pickup_time, undefined);
});

test("text without what the server refuses", () => {
	for (const [text, wanted] of [
		["a\u0000b\u001b\u007f\u0085c", "abc"], ["a\tb\r\nc\rd", "a\tb\nc\nd"], ["\ud83d", null], ["x\ud83dy", "xy"], ["\u{1F35A}", "\u{1F35A}"],
		[" \n\t", null], [null, null], ["<b>&amp;", "<b>&amp;"],
	]) {
		assert.equal(clean(text), wanted, JSON.stringify(text));
	}
});
