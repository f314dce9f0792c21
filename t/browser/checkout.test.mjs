// The checkout's rarer moments: days on which the shop's clock changes, large photos, another window, another account, a stop.
import assert from "node:assert/strict";
import { asCustomer, button, field, heading, link, more, news, placing, sees, signIn, toCheckout } from "./lib/customer.mjs";
import { photo } from "./lib/photos.mjs";
import { test, until } from "./lib/test.mjs";
import { w, within } from "./lib/words.mjs";

/** The next day, from today on, on which the clock of that zone is put that way ("forward" or "back"), as a date there. */
function changeOf(zone, way) {
	const format = new Intl.DateTimeFormat("en", { timeZone: zone, timeZoneName: "longOffset" });
	const offset = (time) => {
		const [, sign, hours, minutes] = /GMT(?:([+-])(\d\d):(\d\d))?/.exec(format.format(time));
		return sign ? Number(`${sign}1`) * (hours * 60 + Number(minutes)) : 0;
	};
	// From noon to noon: near midnight an hour more or less would make it another date.
	for (let time = new Date().setUTCHours(12, 0, 0, 0); ; time += 86400000) {
		const change = offset(time + 86400000) - offset(time);
		if (change > 0 === (way === "forward") && change !== 0) return new Intl.DateTimeFormat("en-CA", { timeZone: zone }).format(time + 86400000);
	}
}

async function atFreeTime(scene, zone, date) {
	const shop = await scene.api.shop({ timezone: zone });
	const page = await asCustomer(scene, await scene.api.user(), `shop/${shop.id}`, { timezoneId: zone });
	await more(page, shop.products[0].name);
	await toCheckout(page);
	await field(page, "order.later").check();
	await field(page, "order.day").selectOption("other");
	await field(page, "order.other_day").fill(date);
	await field(page, "order.time").waitFor();
	return { shop, page };
}

test("checkout: a time that the shop's clock shows twice is asked for, and sent as it was meant", async (scene) => {
	const date = changeOf("Europe/Berlin", "back");
	const { shop, page } = await atFreeTime(scene, "Europe/Berlin", date);
	await field(page, "order.time").fill("02:30");
	const both = page.getByRole("group", { name: w("order.twice") }).getByRole("radio");
	await both.first().waitFor();
	await placing(page).click();
	await news(page, "order.choose_time").waitFor();
	await both.nth(1).check();
	await placing(page).click();
	await sees(page, "pending");
	const [order] = await scene.api.orders(shop);
	assert.equal(order.scheduled_pickup_time, `${date}T02:30:00+01:00`);
});

test("checkout: a time that the shop's clock jumps over is said to be none", async (scene) => {
	const date = changeOf("Europe/Berlin", "forward");
	const { shop, page } = await atFreeTime(scene, "Europe/Berlin", date);
	await field(page, "order.time").fill("02:30");
	await page.getByText(within("order.no_such_time")).first().waitFor();
	await button(page, "order.take_time").click();
	await placing(page).click();
	await sees(page, "pending");
	const [order] = await scene.api.orders(shop);
	assert.equal(order.scheduled_pickup_time, `${date}T03:30:00+02:00`);
});

test("checkout: a large photo is sent smaller, and upright", async (scene) => {
	const shop = await scene.api.shop();
	const page = await asCustomer(scene, await scene.api.user(), `shop/${shop.id}/checkout`);
	await heading(page, "order.when").waitFor();
	// A JPEG of 4000 x 2000 whose Orientation says: turn it by a quarter.
	const bytes = await page.evaluate(async () => {
		const canvas = Object.assign(document.createElement("canvas"), { width: 4000, height: 2000 });
		const context = canvas.getContext("2d");
		context.fillStyle = "white";
		context.fillRect(0, 0, 4000, 2000);
		context.fillStyle = "black";
		context.fillRect(0, 0, 2000, 2000);
		const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", 0.9));
		return [...new Uint8Array(await blob.arrayBuffer())];
	});
	const exif = Buffer.from("ffe100224578696600004d4d002a00000008000101120003000000010006000000000000", "hex");
	const turned = Buffer.concat([Buffer.from(bytes.slice(0, 2)), exif, Buffer.from(bytes.slice(2))]);
	await field(page, "order.photo_choose").setInputFiles({ name: "list.jpg", mimeType: "image/jpeg", buffer: turned });
	await page.getByText(w("order.photo_sent")).waitFor();
	const image = page.getByRole("img", { name: w("order.photo_of_list") });
	assert.deepEqual(await image.evaluate((i) => [i.naturalWidth, i.naturalHeight]), [1200, 2400]);
	await placing(page).click();
	await sees(page, "pending");
	const shown = page.getByRole("img", { name: w("order.photo_of_list") });
	await shown.waitFor();
	assert.deepEqual(await shown.evaluate((i) => [i.naturalWidth, i.naturalHeight]), [1200, 2400]);
});

test("checkout: a photo is kept over a reload, and taken out", async (scene) => {
	const shop = await scene.api.shop();
	const page = await asCustomer(scene, await scene.api.user(), `shop/${shop.id}/checkout`);
	await field(page, "order.photo_choose").setInputFiles({ name: "list.png", mimeType: "image/png", buffer: photo() });
	await page.getByText(w("order.photo_sent")).waitFor();
	await page.reload();
	await page.getByRole("img", { name: w("order.photo_of_list") }).waitFor();
	await button(page, "order.photo_remove").click();
	await page.getByRole("img", { name: w("order.photo_of_list") }).waitFor({ state: "detached" }).catch(() => {});
	await placing(page).click();
	await news(page, "order.empty").waitFor();
});

test("checkout: a photo that is chosen before signing in is sent with the order", async (scene) => {
	const shop = await scene.api.shop();
	const who = await scene.api.user();
	const page = await scene.open(`/order/#/shop/${shop.id}/checkout`);
	await field(page, "order.photo_choose").setInputFiles({ name: "list.png", mimeType: "image/png", buffer: photo() });
	await page.getByText(w("order.photo_later")).waitFor();
	await placing(page).click();
	await signIn(page, who);
	await sees(page, "pending");
	const [order] = await scene.api.orders(shop);
	assert.ok(order.has_chitty);
});

test("checkout: two windows with one basket order it once", async (scene) => {
	const shop = await scene.api.shop();
	const page = await asCustomer(scene, await scene.api.user(), `shop/${shop.id}`);
	await more(page, shop.products[0].name);
	await toCheckout(page);
	await heading(page, "order.when").waitFor();
	const other = await scene.beside(page, `/order/#/shop/${shop.id}/checkout`);
	await heading(other, "order.when").waitFor();
	await placing(other).waitFor();
	await Promise.all([placing(page).click(), placing(other).click()]);
	// Whichever comes later finds an empty basket, or the same order.
	await Promise.any([sees(page, "pending"), sees(other, "pending")]);
	for (const one of [page, other]) await until(async () => /order\/\d+$/.test(one.url()) || (await news(one, "order.empty").isVisible()), "an end in both");
	assert.equal((await scene.api.orders(shop)).length, 1);
	await other.goto(`/order/#/shop/${shop.id}`);
	await other.getByText(w("order.by_photo")).waitFor();
});

test("checkout: what somebody stopped is not sent again by itself", async (scene) => {
	const shop = await scene.api.shop();
	const page = await asCustomer(scene, await scene.api.user(), `shop/${shop.id}`);
	await more(page, shop.products[0].name);
	await toCheckout(page);
	let sent = 0;
	await page.route("**/api/v1/orders/", (route) => (sent++, route.abort()));
	await placing(page).click();
	await button(page, "order.stop_trying").click();
	await news(page, "order.not_known").waitFor();
	const before = sent;
	await page.reload();
	await news(page, "order.old_try").waitFor();
	assert.equal(sent, before);
	await page.unroute("**/api/v1/orders/");
	await button(page, "order.send_again").click();
	await sees(page, "pending");
	assert.equal((await scene.api.orders(shop)).length, 1);
});

test("checkout: what somebody stops while it is on its way is not sent again either", async (scene) => {
	const shop = await scene.api.shop();
	const page = await asCustomer(scene, await scene.api.user(), `shop/${shop.id}`);
	await more(page, shop.products[0].name);
	await toCheckout(page);
	const sent = [];
	await page.route("**/api/v1/orders/", (route) => (sent.push(route) === 1 ? route.abort() : undefined));
	await placing(page).click();
	await until(() => sent.length === 2, "another try, which hangs");
	await button(page, "order.stop_trying").click();
	await sent[1].abort();
	await news(page, "order.not_known").waitFor();
	assert.equal(sent.length, 2);
});

test("checkout: a session that ended while choosing is asked for, and the order goes on", async (scene) => {
	const shop = await scene.api.shop();
	const who = await scene.api.user();
	const page = await asCustomer(scene, who, `shop/${shop.id}`);
	await more(page, shop.products[0].name);
	await toCheckout(page);
	await heading(page, "order.when").waitFor();
	await scene.api.call("POST", "/auth/logout-all", { who });
	await placing(page).click();
	await signIn(page, who);
	await sees(page, "pending");
	assert.equal((await scene.api.orders(shop)).length, 1);
});

test("checkout: a shopkeeper's account does not order, and is told so", async (scene) => {
	const shop = await scene.api.shop();
	const page = await scene.open(`/order/#/shop/${shop.id}`);
	await more(page, shop.products[0].name);
	await toCheckout(page);
	await placing(page).click();
	await signIn(page, shop.keeper);
	await page.getByText(w("order.refused.not_customer")).waitFor();
});

test("checkout: signed out, nothing of somebody's is shown any more", async (scene) => {
	const shop = await scene.api.shop();
	const who = await scene.api.user();
	const order = await scene.api.order(who, shop);
	const page = await asCustomer(scene, who, `order/${order.id}`);
	await sees(page, "pending");
	const other = await scene.beside(page, "/order/#/orders");
	await link(other, "order.order", { id: order.id }).waitFor();
	await button(page, "common.sign_out").click();
	await page.getByText(w("order.sign_in_first")).waitFor();
	await other.getByText(w("order.sign_in_first")).waitFor();
	assert.equal(await other.getByRole("link", { name: w("order.order", { id: order.id }) }).count(), 0);
});

test("checkout: permission for notifications is asked for on a tap, and they belong to a worker", async (scene) => {
	const shop = await scene.api.shop();
	const who = await scene.api.user();
	const order = await scene.api.order(who, shop);
	const page = await asCustomer(scene, who, `order/${order.id}`);
	await page.getByText(w("order.live")).waitFor();
	// What is read again would show the permission before the tap.
	await page.waitForLoadState("networkidle");
	await button(page, "order.tell_me").waitFor();
	// Somebody who allows it when they are asked, and not before.
	await page.exposeFunction("allow", () => page.context().grantPermissions(["notifications"]));
	await page.evaluate(() => {
		Notification.requestPermission = () => globalThis.allow().then(() => Notification.permission);
	});
	await button(page, "order.tell_me").click();
	await page.getByText(w("order.will_tell")).waitFor();
	await until(() => page.evaluate(async () => (await navigator.serviceWorker.getRegistration())?.active?.state === "activated"), "the worker");
	await page.getByText(w("order.live")).waitFor();
	await scene.api.change(shop, order, { status: "confirmed" });
	await scene.api.change(shop, order, { status: "ready" });
	await sees(page, "ready");
	const shown = () => page.evaluate(async () => (await (await navigator.serviceWorker.getRegistration()).getNotifications()).map((n) => [n.title, n.tag, n.data]));
	const [[title, tag, hash]] = await until(async () => ((await shown()).length ? shown() : null), "a notification");
	assert.match(title, w("order.status.ready"));
	assert.deepEqual([tag, hash], [`pickup-${order.id}-ready`, `#/order/${order.id}`]);
});
