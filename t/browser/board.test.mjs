// The board by itself: what it shows and rings, one tap a step and never two, by touch, by keyboard, on paper.
import assert from "node:assert/strict";
import { doubleTap } from "./lib/browser.mjs";
import { photo } from "./lib/photos.mjs";
import { agrees, alert, asKeeper, card, confirm, isLive, isRinging, on, rested, rings, signIn, tap } from "./lib/keeper.mjs";
import { pause, stays, test, until } from "./lib/test.mjs";
import { w, within } from "./lib/words.mjs";

const inHours = (hours) => new Date(Date.now() + hours * 3600000).toISOString().replace(/\.\d+/, "");

test("board: it rings until somebody touches it, and says for how many", async (scene) => {
	const shop = await scene.api.shop();
	const customer = await scene.api.user();
	const page = await asKeeper(scene, shop);
	await isLive(page);
	assert.equal(await isRinging(page), false);
	const orders = [await scene.api.order(customer, shop), await scene.api.order(customer, shop)];
	await rings(page, 2);
	assert.match(await page.title(), /\(2\)/);
	await page.waitForFunction(() => document.getElementById("icon").href.startsWith("blob:"));
	await stays(() => isRinging(page), "ringing", 1500);
	await tap(page, orders[0], "board.heard");
	await rings(page, 1);
	await rested(page);
	await card(page, orders[1]).getByRole("heading").tap();
	await until(async () => !(await isRinging(page)), "silence");
	assert.match(await page.title(), /\(2\)/, "both still wait");
});

test("board: it says so where the browser keeps it silent, until somebody touches it", async (scene) => {
	const shop = await scene.api.shop();
	const kept = { "pickup.board": shop.keeper, [`pickup.board.shop.${shop.keeper.user_id}`]: shop.id };
	const page = await scene.open("about:blank", { device: "tablet", kept });
	// What a test asks a page counts as somebody's touch of it: here only a finger does.
	await page.addInitScript(() => {
		let isTouched = false;
		addEventListener("pointerdown", () => (isTouched = true), { capture: true });
		const Real = globalThis.AudioContext;
		globalThis.AudioContext = class extends Real {
			constructor() {
				super();
				if (!isTouched) this.suspend();
			}
			resume() {
				return isTouched ? super.resume() : new Promise(() => {});
			}
		};
	});
	await page.goto("/board/");
	await alert(page, "board.sound_blocked").waitFor();
	await page.getByRole("button", { name: w("board.sound_on") }).tap();
	await alert(page, "board.sound_blocked").waitFor({ state: "detached" });
	await scene.api.order(await scene.api.user(), shop);
	await rings(page, 1);
});

test("board: a double tap takes one step, and none of what moves under the finger", async (scene) => {
	const shop = await scene.api.shop();
	const customer = await scene.api.user();
	const orders = [];
	for (let n = 0; n < 4; n++) orders.push(await scene.api.order(customer, shop));
	const page = await asKeeper(scene, shop);
	await isLive(page);
	for (const [order, gap] of [[orders[0], 40], [orders[1], 90], [orders[2], 250]]) {
		const go = on(page, order, "board.confirm_minutes");
		await go.scrollIntoViewIfNeeded();
		await rested(page);
		const { x, y, width, height } = await go.boundingBox();
		await doubleTap(page, x + width / 2, y + height / 2, gap);
		await until(async () => (await scene.api.read(customer, order)).status === "confirmed", "it to be confirmed");
		await agrees(scene, page, shop);
	}
	assert.deepEqual((await scene.api.orders(shop)).reverse().map((o) => [o.status, o.version]), [["confirmed", 2], ["confirmed", 2], ["confirmed", 2], ["pending", 1]]);
});

test("board: a double tap on a dialog does nothing to what lies beneath it", async (scene) => {
	const shop = await scene.api.shop();
	const customer = await scene.api.user();
	for (let n = 0; n < 12; n++) await scene.api.order(customer, shop, { order_notes: "x\n".repeat(n % 3) });
	const page = await asKeeper(scene, shop);
	await page.getByRole("button", { name: w("board.hush") }).tap();
	const [first] = (await scene.api.orders(shop)).reverse();
	await tap(page, first, "board.minutes");
	await page.getByRole("dialog").waitFor();
	await rested(page);
	// Where a choice lies upon a button that confirms.
	const place = await page.evaluate((id) => {
		const boxes = (selector) => [...document.querySelectorAll(selector)].map((e) => e.getBoundingClientRect());
		for (const a of boxes("dialog button")) {
			for (const b of boxes(`.card:not(#order-${id}) [data-do=confirmed]`)) {
				const [left, right, top, bottom] = [Math.max(a.left, b.left), Math.min(a.right, b.right), Math.max(a.top, b.top), Math.min(a.bottom, b.bottom)];
				if (right - left > 8 && bottom - top > 8) return [(left + right) / 2, (top + bottom) / 2];
			}
		}
		return null;
	}, first.id);
	assert.ok(place, "no button beneath the dialog");
	await page.route("**/api/v1/orders/*", async (route) => {
		await pause(500);
		await route.continue();
	});
	await doubleTap(page, ...place, 120);
	// Nothing tells that a second step is not on its way: so long after the route let go of the first one.
	await stays(async () => (await scene.api.orders(shop)).every((o) => o.id === first.id || o.status === "pending"), "the order beneath untouched", 1500);
});

test("board: a tap that comes in one breath with a dialog's end does nothing to what lies beneath it", async (scene) => {
	const shop = await scene.api.shop();
	const customer = await scene.api.user();
	const [first, second] = [await scene.api.order(customer, shop), await scene.api.order(customer, shop)];
	const page = await asKeeper(scene, shop);
	await page.getByRole("button", { name: w("board.hush") }).tap();
	await tap(page, first, "board.minutes");
	const choice = page.getByRole("dialog").getByRole("button", { name: w("board.minutes_choice", { n: 40 }) });
	await choice.waitFor();
	await rested(page);
	// A slow tablet hears of both fingers before it draws, and tells of the end then.
	await choice.evaluate((go, id) => {
		go.click();
		document.querySelector(`#order-${id} [data-do=confirmed]`).dispatchEvent(new MouseEvent("click", { bubbles: true, detail: 1 }));
	}, second.id);
	await until(async () => (await scene.api.read(customer, first)).status === "confirmed", "the choice to be saved");
	await agrees(scene, page, shop);
	await rested(page);
	assert.deepEqual((await scene.api.orders(shop)).reverse().map((o) => o.status), ["confirmed", "pending"]);
});

test("board: taps rest for a moment where an alert moves what lies below", async (scene) => {
	const shop = await scene.api.shop();
	await scene.api.order(await scene.api.user(), shop);
	const page = await asKeeper(scene, shop);
	await rings(page, 1);
	await page.getByRole("button", { name: w("board.hush") }).tap();
	await isLive(page);
	await rested(page);
	await page.evaluate(() => {
		globalThis.rests = 0;
		const columns = document.getElementById("columns");
		new MutationObserver(() => (globalThis.rests += columns.classList.contains("resting"))).observe(columns, { attributeFilter: ["class"] });
	});
	await page.context().setOffline(true);
	await alert(page, "board.stale").waitFor();
	assert.equal(await page.evaluate(() => globalThis.rests), 1);
});

test("board: what is touched in one window rings in none", async (scene) => {
	const shop = await scene.api.shop();
	const page = await asKeeper(scene, shop);
	const other = await scene.beside(page, "/board/");
	await isLive(other);
	await other.getByRole("heading", { name: shop.name }).tap();
	await scene.api.order(await scene.api.user(), shop);
	for (const one of [page, other]) await rings(one, 1);
	// What it asks is not answered: the other window tells it.
	await page.route("**/api/v1/orders/**", () => {});
	await other.getByRole("button", { name: w("board.hush") }).tap();
	await until(async () => !(await isRinging(page)), "silence");
});

test("board: two clicks of a script in one breath take one step", async (scene) => {
	const shop = await scene.api.shop();
	const customer = await scene.api.user();
	const order = await scene.api.order(customer, shop);
	const page = await asKeeper(scene, shop);
	await on(page, order, "board.confirm_minutes").evaluate((go) => {
		go.click();
		go.click();
	});
	await until(async () => (await scene.api.read(customer, order)).status === "confirmed", "it to be confirmed");
	await agrees(scene, page, shop);
	assert.equal((await scene.api.read(customer, order)).version, 2);
});

test("board: a whole order by keyboard alone", async (scene) => {
	const shop = await scene.api.shop();
	const customer = await scene.api.user();
	const page = await scene.open("/board/", { device: "desk" });
	await page.waitForFunction(() => document.activeElement.name === "phone_number");
	await page.keyboard.type(shop.keeper.phone_number);
	await page.keyboard.press("Tab");
	await page.keyboard.type(shop.keeper.password);
	await page.keyboard.press("Enter");
	const name = () => page.evaluate(() => document.activeElement.textContent.trim());
	const tabTo = async (pattern) => {
		for (let n = 0; n < 60 && !pattern.test(await name()); n++) await page.keyboard.press("Tab");
		assert.match(await name(), pattern);
	};
	await page.getByRole("heading", { name: w("board.which_shop") }).waitFor();
	await page.getByRole("button", { name: shop.name }).waitFor();
	await tabTo(new RegExp(shop.name));
	await page.keyboard.press("Enter");
	await isLive(page);
	const order = await scene.api.order(customer, shop);
	await card(page, order).waitFor();
	for (const [words, status] of [["board.confirm_minutes", "confirmed"], ["board.next_preparing", "preparing"], ["board.next_ready", "ready"], ["board.next_picked_up", "picked_up"]]) {
		await tabTo(new RegExp(`^(${within(words).source})`));
		await page.keyboard.press("Enter");
		await until(async () => (await scene.api.read(customer, order)).status === status, status);
		await agrees(scene, page, shop);
		// Keys rest as well.
		await rested(page);
	}
});

test("board: a key does to no order what was meant for another, whatever happens elsewhere", async (scene) => {
	const shop = await scene.api.shop();
	const customer = await scene.api.user();
	const orders = [];
	for (let n = 0; n < 5; n++) orders.push(await scene.api.order(customer, shop));
	const page = await asKeeper(scene, shop, { device: "desk" });
	await isLive(page);
	await page.getByRole("button", { name: w("board.hush") }).click();
	await page.keyboard.press("Tab");
	await on(page, orders[2], "board.confirm_minutes").focus();
	const focused = () => page.evaluate(() => [document.activeElement.closest(".card")?.dataset.key, document.activeElement.dataset.do ?? null]);
	await scene.api.change(shop, orders[0], { status: "confirmed" });
	await agrees(scene, page, shop);
	assert.deepEqual(await focused(), [String(orders[2].id), "confirmed"], "its place changed, and nothing else");
	await scene.api.change(shop, orders[2], { status: "cancelled" });
	await agrees(scene, page, shop);
	assert.deepEqual(await focused(), [String(orders[3].id), null], "the next one's heading");
	await page.keyboard.press("Enter");
	await page.keyboard.press("Tab");
	await page.keyboard.press("Enter");
	await until(async () => (await scene.api.read(customer, orders[3])).status === "confirmed", "it to be confirmed by its own button");
	await agrees(scene, page, shop);
	assert.deepEqual(await focused(), [String(orders[4].id), "confirmed"], "one's own step goes on to the next");
	assert.deepEqual((await scene.api.orders(shop)).reverse().map((o) => o.status), ["confirmed", "pending", "cancelled", "confirmed", "pending"]);
});

test("board: sound that the browser takes away comes back by itself", async (scene) => {
	const shop = await scene.api.shop();
	const page = await asKeeper(scene, shop);
	await page.addInitScript(() => {
		globalThis.speakers = [];
		const Real = globalThis.AudioContext;
		globalThis.AudioContext = class extends Real {
			constructor() {
				super();
				globalThis.speakers.push(this);
			}
		};
	});
	await page.reload();
	await isLive(page);
	await page.getByRole("heading", { name: shop.name }).tap();
	await scene.api.order(await scene.api.user(), shop);
	await rings(page, 1);
	// It may come back before another question would be asked.
	assert.equal(await page.evaluate(() => globalThis.speakers[0].suspend().then(() => globalThis.isSounding())), false);
	await until(() => isRinging(page), "the sound");
	await stays(() => isRinging(page), "ringing", 5000);
	assert.equal(await page.evaluate(() => globalThis.speakers.length), 1);
});

test("board: many orders at once: what is far from the screen costs nothing, and can be reached", async (scene) => {
	const shop = await scene.api.shop();
	const customer = await scene.api.user();
	const orders = [];
	while (orders.length < 120) orders.push(...(await Promise.all(Array.from({ length: 10 }, () => scene.api.order(customer, shop)))));
	const page = await asKeeper(scene, shop);
	await agrees(scene, page, shop);
	await rings(page, 120);
	const last = orders.reduce((a, b) => (a.id > b.id ? a : b));
	const heading = page.locator(`#order-${last.id} h3`);
	const isLaidOut = () => heading.evaluate((e) => e.checkVisibility({ contentVisibilityAuto: true }));
	assert.equal(await isLaidOut(), false);
	assert.ok((await page.evaluate(() => document.getAnimations().length)) <= 6);
	await on(page, last, "board.confirm_minutes").scrollIntoViewIfNeeded();
	await until(isLaidOut, "it to be drawn");
	await confirm(page, last);
	await until(async () => (await scene.api.read(customer, last)).status === "confirmed", "it to be confirmed");
});

test("board: what a filter hides is said, and what rings is never hidden", async (scene) => {
	const shop = await scene.api.shop();
	const customer = await scene.api.user();
	const later = await scene.api.order(customer, shop, { order_type: "pre_order", scheduled_pickup_time: inHours(30) });
	const now = await scene.api.order(customer, shop);
	await scene.api.change(shop, later, { status: "confirmed" });
	await scene.api.change(shop, now, { status: "confirmed" });
	const page = await asKeeper(scene, shop);
	await card(page, later).waitFor();
	await page.getByLabel(w("board.filter_when")).selectOption("today");
	await card(page, later).waitFor({ state: "detached" });
	await alert(page, "board.filter_hides", { n: 1 }).waitFor();
	const news = await scene.api.order(customer, shop, { order_type: "pre_order", scheduled_pickup_time: inHours(40) });
	await card(page, news).waitFor();
	await page.getByLabel(w("board.filter_search")).fill(String(now.id));
	await card(page, now).waitFor();
	await page.getByRole("button", { name: w("board.filter_clear") }).tap();
	await agrees(scene, page, shop);
});

test("board: late ones are marked, the pickup's weekday and date stand where it is not today", async (scene) => {
	const shop = await scene.api.shop();
	const customer = await scene.api.user();
	const soon = await scene.api.order(customer, shop, { order_type: "pre_order", scheduled_pickup_time: inHours(10 / 3600) });
	const far = await scene.api.order(customer, shop, { order_type: "pre_order", scheduled_pickup_time: inHours(50) });
	const page = await asKeeper(scene, shop);
	const day = new Intl.DateTimeFormat("en", { weekday: "short", timeZone: shop.timezone }).format(new Date(far.scheduled_pickup_time));
	await card(page, far).getByText(new RegExp(`${day}.*\\d`)).first().waitFor();
	await card(page, far).getByText(/^in 2 days$/).waitFor();
	await page.locator("#live").getByText(/^\d+ seconds? old$/).waitFor();
	await card(page, soon).getByText(w("common.late")).waitFor();
	assert.equal(await card(page, far).getByText(w("common.late")).count(), 0);
});

test("board: a list as a photo: enlarged, and given a price", async (scene) => {
	const shop = await scene.api.shop();
	const customer = await scene.api.user();
	const order = await scene.api.chitty(customer, shop, photo());
	const page = await asKeeper(scene, shop);
	await card(page, order).getByRole("img", { name: w("board.photo_of", { id: order.id }) }).waitFor();
	await card(page, order).getByText(w("board.price_open")).waitFor();
	await card(page, order).getByRole("img").tap();
	await page.getByRole("dialog").getByRole("button", { name: w("board.photo_enlarge") }).tap();
	await page.getByRole("dialog").getByRole("button", { name: w("common.close") }).tap();
	await tap(page, order, "board.price");
	await page.getByLabel(w("board.price_label")).fill("twelve");
	await page.getByRole("dialog").getByRole("button", { name: w("common.save") }).tap();
	await page.getByText(w("board.price_bad")).waitFor();
	await page.getByLabel(w("board.price_label")).fill("342,50");
	await page.getByRole("dialog").getByRole("button", { name: w("common.save") }).tap();
	await card(page, order).getByText(/342\.50/).waitFor();
	assert.equal((await scene.api.read(customer, order)).total_amount, 342.5);
});

test("board: a pause, and a product that is sold out", async (scene) => {
	const shop = await scene.api.shop();
	const page = await asKeeper(scene, shop);
	await page.getByRole("button", { name: w("board.pause") }).tap();
	await page.getByLabel(w("board.pause_reason")).fill("Too many orders");
	await page.getByRole("button", { name: w("board.pause_start") }).tap();
	await alert(page, "board.paused").waitFor();
	const paused = await scene.api.call("GET", `/shops/${shop.id}`);
	assert.equal(paused.pause_reason, "Too many orders");
	assert.ok(Math.abs(Date.parse(paused.paused_until) - Date.now() - 30 * 60000) < 60000);
	await page.getByRole("button", { name: w("board.end_pause") }).tap();
	await until(async () => (await scene.api.call("GET", `/shops/${shop.id}`)).is_open, "the pause to end");
	await page.getByRole("button", { name: w("board.products") }).tap();
	await page.getByRole("dialog").getByRole("button", { name: within("board.put_off_sale") }).tap();
	await page.getByRole("dialog").getByRole("button", { name: within("board.back_on_sale") }).waitFor();
	assert.deepEqual(await scene.api.call("GET", `/shops/${shop.id}/products`), []);
});

test("board: a slow finger marks a product as sold out, too", async (scene) => {
	const shop = await scene.api.shop();
	const page = await asKeeper(scene, shop, { device: "desk" });
	await page.getByRole("button", { name: w("board.products") }).click();
	await page.getByRole("dialog").getByRole("button", { name: within("board.put_off_sale") }).hover();
	await page.mouse.down();
	await page.waitForTimeout(1300);
	await page.mouse.up();
	await page.getByRole("dialog").getByRole("button", { name: within("board.back_on_sale") }).waitFor();
});

test("board: somebody of the shop's staff works at it, and loses it when taken out", async (scene) => {
	const shop = await scene.api.shop();
	const helper = await scene.api.user("customer", "Weekend Helper");
	const path = `/shops/${shop.id}/staff`;
	await scene.api.call("POST", path, { who: shop.keeper, json: { phone_number: helper.phone_number } });
	const page = await scene.open("/board/", { device: "tablet" });
	await signIn(page, helper);
	await page.getByRole("heading", { name: w("board.other_shops") }).waitFor();
	assert.equal(await page.getByRole("heading", { name: w("board.mine") }).count(), 0);
	await page.getByRole("button", { name: shop.name }).tap();
	await isLive(page);
	const order = await scene.api.order(await scene.api.user(), shop);
	await confirm(page, order);
	await agrees(scene, page, shop);
	assert.ok(await page.getByRole("button", { name: w("board.pause") }).isHidden());
	await scene.api.call("DELETE", `${path}/${helper.user_id}`, { who: shop.keeper });
	await alert(page, "board.missing_shop").waitFor();
	assert.equal(await card(page, order).count(), 0);
	await page.getByText(w("board.no_shops")).waitFor();
});

for (const mm of [58, 80]) {
	test(`board: a ticket on paper of ${mm} mm`, async (scene) => {
		const shop = await scene.api.shop();
		const order = await scene.api.order(await scene.api.user(), shop, { order_type: "pre_order", scheduled_pickup_time: inHours(30), order_notes: "No onions" });
		const page = await asKeeper(scene, shop);
		await page.evaluate(() => { globalThis.print = () => { globalThis.isPrinted = true; }; });
		await page.getByRole("button", { name: w("board.settings") }).tap();
		await page.getByLabel(w(`board.paper_${mm}`)).check();
		await page.getByRole("dialog").getByRole("button", { name: w("common.close") }).tap();
		await tap(page, order, "board.print");
		await page.waitForFunction(() => globalThis.isPrinted);
		await page.emulateMedia({ media: "print" });
		const text = await page.locator("body").innerText();
		for (const part of [`#${order.id}`, "Kiran Kumar", "PRE-ORDER", "2 ×", "Basmati rice", "No onions"]) assert.ok(text.includes(part), `${part} in ${text}`);
		assert.match(text, /(Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day/);
		const printed = await page.locator("#ticket ul").evaluate((list) => (list.clientWidth * 25.4) / 96);
		assert.ok(printed <= { 58: 48, 80: 72 }[mm] + 0.3, `${printed} mm are more than a printer for ${mm} mm reaches`);
		for (const more of [within("board.pause"), within("board.filter")]) assert.doesNotMatch(text, more);
		const pdf = await page.pdf({ preferCSSPageSize: true });
		const [, width] = /\/MediaBox\s*\[\s*0\s+0\s+([\d.]+)/.exec(pdf.toString("latin1"));
		assert.ok(Math.abs(width - (mm * 72) / 25.4) < 2, `${width} points wide`);
		assert.equal(pdf.toString("latin1").match(/\/Type\s*\/Page\b/g).length, 1, "one page");
		await scene.shot(page, `ticket-${mm}`);
	});
}

test("board: the screen stays on while it is open, also after the browser let go of it", async (scene) => {
	const shop = await scene.api.shop();
	const page = await scene.open("about:blank", { device: "tablet", kept: { "pickup.board": shop.keeper, [`pickup.board.shop.${shop.keeper.user_id}`]: shop.id } });
	await page.addInitScript(() => {
		globalThis.locks = [];
		const request = navigator.wakeLock.request.bind(navigator.wakeLock);
		navigator.wakeLock.request = async (kind) => {
			globalThis.locks.push(await request(kind));
			return globalThis.locks.at(-1);
		};
	});
	await page.goto("/board/");
	const held = () => page.evaluate(() => globalThis.locks.filter((lock) => !lock.released).length);
	await until(async () => (await held()) === 1, "the screen to be kept on");
	await page.evaluate(() => globalThis.locks[0].release());
	await until(async () => (await held()) === 1, "the screen to be kept on again");
	await page.getByRole("button", { name: w("common.sign_out") }).tap();
	await until(async () => (await held()) === 0, "the screen to be let go of");
});
