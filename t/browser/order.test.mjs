// The customer's page by itself: placing once whatever happens, refusals with what would do, photos, clocks, languages.
import assert from "node:assert/strict";
import { asCustomer, button, field, heading, link, more, news, placing, register, sees, signIn, toCheckout } from "./lib/customer.mjs";
import { photo } from "./lib/photos.mjs";
import { test, until } from "./lib/test.mjs";
import { all, w, within } from "./lib/words.mjs";

const RICE = { name: "Basmati rice", price: 60, unit: "kg" };
const inMinutes = (minutes) => new Date(Date.now() + minutes * 60000).toISOString().replace(/\.\d+/, "");

/** The basket of a new customer with two of the shop's first product, at the checkout. */
async function atCheckout(scene, shop, options) {
	const who = await scene.api.user();
	const page = await asCustomer(scene, who, `shop/${shop.id}`, options);
	await more(page, shop.products[0].name);
	await more(page, shop.products[0].name);
	await toCheckout(page);
	await heading(page, "order.when").waitFor();
	return { who, page };
}

test("order: the basket waits for whoever signs in; an account is made where there is none", async (scene) => {
	const shop = await scene.api.shop();
	const page = await scene.open(`/order/#/shop/${shop.id}`);
	await more(page, RICE.name);
	await toCheckout(page);
	await placing(page).click();
	await register(page, { full_name: "Zoë Müller", phone_number: scene.api.phone(), password: scene.api.password });
	const id = await sees(page, "pending");
	const [order] = await scene.api.orders(shop);
	assert.deepEqual([order.id, order.customer_name, order.items.map((i) => i.quantity)], [id, "Zoë Müller", [1]]);
});

test("order: a wrong password is said, and another try goes on", async (scene) => {
	const who = await scene.api.user();
	const page = await scene.open("/order/#/orders");
	await button(page.getByRole("main"), "common.sign_in").click();
	await signIn(page, { ...who, password: "not this one" });
	await page.getByText(w("order.wrong_password")).waitFor();
	await signIn(page, who);
	await page.getByText(w("order.no_orders")).waitFor();
});

test("order: a second tap orders nothing twice", async (scene) => {
	const shop = await scene.api.shop();
	const { page } = await atCheckout(scene, shop);
	await placing(page).evaluate((go) => {
		go.click();
		go.click();
		setTimeout(() => go.click(), 5);
	});
	await sees(page, "pending");
	assert.equal((await scene.api.orders(shop)).length, 1);
});

test("order: an answer that gets lost, and a reload, order nothing twice", async (scene) => {
	const shop = await scene.api.shop();
	const { page } = await atCheckout(scene, shop);
	const keys = [];
	let isLosing = true;
	await page.route("**/api/v1/orders/", async (route) => {
		keys.push(route.request().headers()["idempotency-key"]);
		if (!isLosing) return route.continue();
		await route.fetch();
		return route.abort();
	});
	await placing(page).click();
	await news(page, "order.no_answer").waitFor();
	await page.reload();
	await news(page, "order.no_answer").waitFor();
	const before = keys.length;
	assert.ok(before > 1, "the page goes on by itself after a reload");
	await button(page, "order.try_now").click();
	await until(() => keys.length > before, "another try");
	isLosing = false;
	const id = await sees(page, "pending");
	assert.deepEqual((await scene.api.orders(shop)).map((o) => o.id), [id]);
	assert.equal(new Set(keys).size, 1);
	await page.goto(`/order/#/shop/${shop.id}`);
	await page.getByText(w("order.by_photo")).waitFor();
});

test("order: a basket that changes after an answer got lost is not ordered twice either", async (scene) => {
	const shop = await scene.api.shop();
	const { page } = await atCheckout(scene, shop);
	let isCut = true;
	await page.route("**/api/v1/orders/", async (route) => {
		if (!isCut) return route.continue();
		await route.fetch();
		return route.abort();
	});
	await placing(page).click();
	await button(page, "order.stop_trying").click();
	await news(page, "order.not_known").waitFor();
	isCut = false;
	await more(page, RICE.name);
	await placing(page).click();
	const id = await sees(page, "pending");
	await page.getByText(within("order.earlier")).waitFor();
	assert.deepEqual((await scene.api.orders(shop)).map((o) => [o.id, o.items[0].quantity]), [[id, 2]]);
});

test("order: too little is left, and what is left is offered", async (scene) => {
	const shop = await scene.api.shop({ products: [{ ...RICE, stock: 5 }, { name: "Milk", price: 33, stock: 3 }] });
	const { page } = await atCheckout(scene, shop);
	await link(page, "order.back_to_menu").click();
	await more(page, "Milk");
	await toCheckout(page);
	await scene.api.call("PATCH", `/products/${shop.products[0].id}`, { who: shop.keeper, json: { stock: 1 } });
	await scene.api.call("PATCH", `/products/${shop.products[1].id}`, { who: shop.keeper, json: { stock: 0 } });
	await placing(page).click();
	await news(page, "order.refused.short", { name: RICE.name, n: 1 }).waitFor();
	await news(page, "order.refused.none", { name: "Milk" }).waitFor();
	assert.equal((await scene.api.orders(shop)).length, 0);
	await button(page, "order.take_only", { n: 1, name: RICE.name }).click();
	await button(page, "order.remove", { name: "Milk" }).click();
	await placing(page).click();
	await sees(page, "pending");
	const [order] = await scene.api.orders(shop);
	assert.deepEqual(order.items.map((i) => [i.product_name, i.quantity]), [[RICE.name, 1]]);
});

test("order: what went off sale meanwhile is taken out", async (scene) => {
	const shop = await scene.api.shop({ products: [RICE, { name: "Milk", price: 33 }] });
	const { page } = await atCheckout(scene, shop);
	await link(page, "order.back_to_menu").click();
	await more(page, "Milk");
	await toCheckout(page);
	await scene.api.call("PATCH", `/products/${shop.products[0].id}`, { who: shop.keeper, json: { is_active: false } });
	await placing(page).click();
	await news(page, "order.refused.off_sale", { name: RICE.name }).waitFor();
	await button(page, "order.remove", { name: RICE.name }).click();
	await placing(page).click();
	await sees(page, "pending");
});

test("order: a slot that somebody else took, and one that is offered instead", async (scene) => {
	const shop = await scene.api.shop({ slot_minutes: 60, slot_capacity: 1 });
	const { page } = await atCheckout(scene, shop);
	await field(page, "order.later").check();
	await field(page, "order.day").selectOption({ index: 1 });
	const slots = page.getByRole("group", { name: w("order.slot") }).getByRole("radio");
	await slots.nth(3).check();
	const time = await slots.nth(3).inputValue();
	await scene.api.order(await scene.api.user(), shop, { order_type: "pre_order", scheduled_pickup_time: time });
	await placing(page).click();
	await news(page, "order.refused.slot_full").waitFor();
	await button(page.locator("#news"), "order.take_time").first().click();
	await placing(page).click();
	const id = await sees(page, "pending");
	const order = (await scene.api.orders(shop)).find((o) => o.id === id);
	assert.equal(order.order_type, "pre_order");
	assert.notEqual(Date.parse(order.scheduled_pickup_time), Date.parse(time));
});

test("order: a shop that closes, or pauses, while somebody chooses", async (scene) => {
	const shop = await scene.api.shop();
	const { page } = await atCheckout(scene, shop);
	const until_ = inMinutes(90);
	await scene.api.setShop(shop, { paused_until: until_, pause_reason: "The oven is broken", pre_orders_while_paused: true });
	await placing(page).click();
	await news(page, "order.refused.paused").waitFor();
	await news(page, "order.pause_reason", { reason: "The oven is broken" }).waitFor();
	await scene.api.setShop(shop, { paused_until: null, opening_hours: {} });
	await placing(page).click();
	await news(page, "order.refused.closed").waitFor();
	assert.equal((await scene.api.orders(shop)).length, 0);
	await scene.api.setShop(shop, { opening_hours: null });
	await placing(page).click();
	await sees(page, "pending");
});

test("order: a photo of a list instead of products", async (scene) => {
	const shop = await scene.api.shop();
	const who = await scene.api.user();
	const page = await asCustomer(scene, who, `shop/${shop.id}`);
	await toCheckout(page);
	await field(page, "order.photo_choose").setInputFiles({ name: "list.png", mimeType: "image/png", buffer: photo(900, 1200) });
	await page.getByText(w("order.photo_sent")).waitFor();
	await placing(page).click();
	const id = await sees(page, "pending");
	await page.getByRole("img", { name: w("order.photo_of_list") }).waitFor();
	const order = await scene.api.read(shop.keeper, { id });
	assert.ok(order.has_chitty && order.items.length === 0);
	await scene.api.change(shop, order, { status: "confirmed", total_amount: 123.45 });
	await page.getByText(/123\.45/).waitFor();
});

test("order: what is no photo is said so", async (scene) => {
	const shop = await scene.api.shop();
	const page = await asCustomer(scene, await scene.api.user(), `shop/${shop.id}/checkout`);
	await field(page, "order.photo_choose").setInputFiles({ name: "list.png", mimeType: "image/png", buffer: Buffer.from("<svg onload=alert(1)>") });
	await page.getByText(w("order.photo_bad")).waitFor();
});

test("order: the shop's clock, and the customer's where it differs", async (scene) => {
	const shop = await scene.api.shop({ timezone: "Asia/Kolkata", slot_minutes: 30 });
	const { page } = await atCheckout(scene, shop, { timezoneId: "Europe/Berlin" });
	await field(page, "order.later").check();
	await page.getByText(w("order.shop_clock")).waitFor();
	// The first slot of the next day may be over in a moment.
	await field(page, "order.day").selectOption({ index: 2 });
	const slot = page.getByRole("group", { name: w("order.slot") }).getByRole("radio").first();
	await slot.check();
	const start = new Date(await slot.inputValue());
	const at = (timeZone) => new Intl.DateTimeFormat("en-GB", { hour: "numeric", minute: "2-digit", timeZone }).format(start);
	await page.getByText(new RegExp(`${at("Asia/Kolkata")}.*${at("Europe/Berlin")}`)).first().waitFor();
	await placing(page).click();
	await sees(page, "pending");
	const [order] = await scene.api.orders(shop);
	assert.equal(Date.parse(order.scheduled_pickup_time), start.getTime());
});

test("order: told when it is ready, where the browser may", async (scene) => {
	const shop = await scene.api.shop();
	const who = await scene.api.user();
	const order = await scene.api.order(who, shop);
	const page = await asCustomer(scene, who, "", { permissions: ["notifications"] });
	await page.goto(`/order/#/order/${order.id}`);
	await page.evaluate(() => {
		globalThis.shown = [];
		const real = Notification;
		globalThis.Notification = class extends real {
			constructor(title, options) {
				super(title, options);
				globalThis.shown.push(`${title} ${options.body}`);
			}
		};
	});
	await page.getByText(w("order.will_tell")).waitFor();
	await page.getByText(w("order.live")).waitFor();
	await scene.api.change(shop, order, { status: "confirmed", estimated_preparation_minutes: 20 });
	await page.getByText(w("order.minutes", { n: 20 })).waitFor();
	await scene.api.change(shop, order, { status: "ready" });
	await sees(page, "ready");
	const shown = await until(() => page.evaluate(() => globalThis.shown.length && globalThis.shown), "a notification");
	assert.match(shown[0], within("order.status.ready"));
	assert.match(await page.title(), within("order.ready_title", { n: 1 }));
});

test("order: a cancelled order says why", async (scene) => {
	const shop = await scene.api.shop();
	const who = await scene.api.user();
	const order = await scene.api.order(who, shop);
	const page = await asCustomer(scene, who, `order/${order.id}`);
	await page.getByText(w("order.live")).waitFor();
	await scene.api.change(shop, order, { status: "cancelled", cancel_reason: "The rice is all gone" });
	await sees(page, "cancelled");
	await page.getByText(/The rice is all gone/).waitFor();
});

test("words: both languages are whole, and each page speaks either", async (scene) => {
	const names = Object.values(all).map((words) => Object.keys(words).sort());
	assert.deepEqual(names[0], names[1]);
	const members = (word) => [...new Set(JSON.stringify(word).match(/\{\w+\}/g))].sort();
	for (const name of names[0]) assert.deepEqual(members(all.de[name]), members(all.en[name]), name);
	const page = await scene.open("/order/", { locale: "de-DE" });
	await page.getByRole("heading", { name: w("order.shops", {}, "de") }).waitFor();
	assert.equal(await page.evaluate(() => document.documentElement.lang), "de");
	await page.getByLabel(w("common.language", {}, "de")).selectOption("en");
	await heading(page, "order.shops").waitFor();
	await page.reload();
	await heading(page, "order.shops").waitFor();
});
