// What happens to a board and a customer's page when something goes wrong: after each trouble they show exactly what the database holds, the board has rung
// for every order that came meanwhile, and no tap that was said to be done is lost.
import assert from "node:assert/strict";
import { sleeps } from "./lib/browser.mjs";
import { asCustomer, sees } from "./lib/customer.mjs";
import { agrees, alert, asKeeper, card, confirm, hasSaid, isLive, isRinging, on, rested, rings, ringsAtOnce, signIn, tap } from "./lib/keeper.mjs";
import { photo } from "./lib/photos.mjs";
import { pause, test, until } from "./lib/test.mjs";
import { w, within } from "./lib/words.mjs";

/** A shop with a board that is live, and a customer. */
async function opened(scene) {
	const shop = await scene.api.shop();
	const customer = await scene.api.user();
	const page = await asKeeper(scene, shop);
	await isLive(page);
	return { shop, customer, page };
}

/** Where a finger taps it. */
async function placeOf(button) {
	await button.scrollIntoViewIfNeeded();
	const { x, y, width, height } = await button.boundingBox();
	return [x + width / 2, y + height / 2];
}

const statusOf = async (scene, who, order) => (await scene.api.read(who, order)).status;
const troubled = (name, run) => test(`trouble: ${name}`, run, "troubled");

troubled("offline while orders come, change and are tapped", async (scene) => {
	const { shop, customer, page } = await opened(scene);
	const [first, second] = [await scene.api.order(customer, shop), await scene.api.order(customer, shop)];
	await rings(page, 2);
	await page.context().setOffline(true);
	await isLive(page, "offline");
	await alert(page, "board.stale").waitFor();
	await confirm(page, first);
	await card(page, first).getByText(w("board.not_saved")).waitFor();
	assert.equal(await statusOf(scene, customer, first), "pending");
	assert.equal((await on(page, first, "board.next_preparing").count()), 0, "no step is shown as done");
	await scene.api.change(shop, second, { status: "cancelled" });
	const third = await scene.api.order(customer, shop);
	await page.context().setOffline(false);
	await agrees(scene, page, shop);
	await rings(page, 1);
	await card(page, third).waitFor();
	await until(async () => (await statusOf(scene, customer, first)) === "confirmed", "the tap to be saved");
	await agrees(scene, page, shop);
	await isLive(page);
});

troubled("an order changed elsewhere after a tap that was not sent: the tap loses, and says so", async (scene) => {
	const { shop, customer, page } = await opened(scene);
	const order = await scene.api.order(customer, shop);
	await card(page, order).waitFor();
	await page.context().setOffline(true);
	await confirm(page, order);
	await card(page, order).getByText(w("board.not_saved")).waitFor();
	await scene.api.change(shop, order, { status: "confirmed", estimated_preparation_minutes: 45 });
	await page.context().setOffline(false);
	await alert(page, "board.somebody_else", { id: order.id }).waitFor();
	await agrees(scene, page, shop);
	assert.equal((await scene.api.read(customer, order)).estimated_preparation_minutes, 45);
});

troubled("an answer that got lost: the same tap again finds that it was done", async (scene) => {
	const { shop, customer, page } = await opened(scene);
	const order = await scene.api.order(customer, shop);
	let tries = 0;
	await page.route(`**/api/v1/orders/${order.id}`, async (route) => {
		if (route.request().method() !== "PATCH" || tries++) return route.continue();
		await route.fetch();
		return route.abort();
	});
	await confirm(page, order);
	await until(() => tries > 1, "another try");
	await agrees(scene, page, shop);
	await on(page, order, "board.next_preparing").waitFor();
	assert.equal((await scene.api.read(customer, order)).version, 2);
	assert.equal(await alert(page, "board.somebody_else").count(), 0);
});

troubled("the push nginx is killed, and comes back", async (scene) => {
	const { shop, customer, page } = await opened(scene);
	await scene.stack.restart("push");
	const order = await scene.api.order(customer, shop);
	await rings(page, 1);
	await card(page, order).waitFor();
	await isLive(page);
	await ringsAtOnce(page, 2, () => scene.api.order(customer, shop));
	await agrees(scene, page, shop);
});

troubled("the push nginx is away: the board asks, and says that it is not live", async (scene) => {
	const { shop, customer, page } = await opened(scene);
	await scene.stack.down("push");
	try {
		await isLive(page, "polling");
		await scene.api.order(customer, shop);
		await rings(page, 1);
		await agrees(scene, page, shop);
	} finally {
		await scene.stack.back("push");
	}
	await isLive(page);
	await ringsAtOnce(page, 2, () => scene.api.order(customer, shop));
});

troubled("the front nginx is killed, and comes back", async (scene) => {
	const { shop, customer, page } = await opened(scene);
	await scene.stack.restart("front");
	await scene.api.order(customer, shop);
	await rings(page, 1);
	await agrees(scene, page, shop);
	await isLive(page);
});

troubled("workers are killed amid taps", async (scene) => {
	const { shop, customer, page } = await opened(scene);
	const orders = [];
	for (let n = 0; n < 4; n++) orders.push(await scene.api.order(customer, shop));
	await rings(page, 4);
	for (const order of orders) {
		await Promise.all([confirm(page, order), pause(3).then(() => scene.stack.killWorker())]);
		// What it shows comes to rest before the next tap: an answer that got lost, and comes later, moves cards.
		await agrees(scene, page, shop);
		assert.equal(await statusOf(scene, customer, order), "confirmed");
	}
	assert.deepEqual((await scene.api.orders(shop)).map((o) => o.version), [2, 2, 2, 2]);
});

troubled("no workers, a tap, a reload: it is saved when they are back", async (scene) => {
	const { shop, customer, page } = await opened(scene);
	const order = await scene.api.order(customer, shop);
	await card(page, order).waitFor();
	await scene.stack.down("workers");
	try {
		await confirm(page, order);
		await card(page, order).getByText(w("board.not_saved")).waitFor();
		await hasSaid(page, "offline");
		await page.reload();
		await alert(page, "board.unread").waitFor();
	} finally {
		await scene.stack.back("workers");
	}
	await until(async () => (await statusOf(scene, customer, order)) === "confirmed", "the tap to be saved");
	await agrees(scene, page, shop);
});

troubled("the database is away", async (scene) => {
	const { shop, customer, page } = await opened(scene);
	const order = await scene.api.order(customer, shop);
	await card(page, order).waitFor();
	await scene.stack.down("mariadbd");
	try {
		await confirm(page, order);
		await card(page, order).getByText(w("board.not_saved")).waitFor();
		await hasSaid(page, "offline");
	} finally {
		await scene.stack.back("mariadbd");
	}
	await until(async () => (await statusOf(scene, customer, order)) === "confirmed", "the tap to be saved");
	await agrees(scene, page, shop);
});

troubled("the token ends: it says so, and after signing in it has rung for all that came", async (scene) => {
	const { shop, customer, page } = await opened(scene);
	const first = await scene.api.order(customer, shop);
	await rings(page, 1);
	await tap(page, first, "board.heard");
	// As if another window had signed in: the board is at work with it before it ends, however long a page takes to load.
	await page.evaluate((access_token) => {
		const key = "pickup.board";
		localStorage.setItem(key, JSON.stringify({ ...JSON.parse(localStorage.getItem(key)), access_token }));
		dispatchEvent(new StorageEvent("storage", { key }));
	}, scene.stack.token(shop.keeper, 3));
	await page.getByRole("heading", { name: w("board.sign_in_title") }).waitFor();
	await alert(page, "board.expired").waitFor();
	const second = await scene.api.order(customer, shop);
	await signIn(page, shop.keeper);
	await card(page, second).waitFor();
	await rings(page, 1);
	await agrees(scene, page, shop);
});

troubled("signed out everywhere, with a tap on its way: whoever signs in again finds it saved or not, as it is", async (scene) => {
	const { shop, customer, page } = await opened(scene);
	const order = await scene.api.order(customer, shop);
	await card(page, order).waitFor();
	let free;
	const isFree = new Promise((resolve) => (free = resolve));
	await page.route(`**/api/v1/orders/${order.id}`, async (route) => {
		if (route.request().method() === "PATCH") await isFree;
		await route.continue();
	});
	await confirm(page, order);
	await scene.api.call("POST", "/auth/logout-all", { who: shop.keeper });
	free();
	await page.getByRole("heading", { name: w("board.sign_in_title") }).waitFor();
	const second = await scene.api.order(customer, shop);
	await signIn(page, shop.keeper);
	Object.assign(shop.keeper, await scene.api.signIn(shop.keeper));
	await card(page, second).waitFor();
	await rings(page, 1);
	await agrees(scene, page, shop);
});

troubled("two tablets at once", async (scene) => {
	const { shop, customer, page } = await opened(scene);
	const other = await asKeeper(scene, shop);
	await isLive(other);
	const [first, second] = [await scene.api.order(customer, shop), await scene.api.order(customer, shop)];
	for (const tablet of [page, other]) await rings(tablet, 2);
	await confirm(page, first);
	await on(other, first, "board.next_preparing").waitFor();
	// Both fingers are where they tap: what one does may take from under the other what that is on.
	await tap(other, second, "board.cancel");
	await rested(page);
	const places = [await placeOf(on(page, second, "board.confirm_minutes")), await placeOf(other.getByRole("dialog").getByRole("button", { name: w("board.cancel") }))];
	await Promise.all([page, other].map((tablet, n) => tablet.touchscreen.tap(...places[n])));
	await until(async () => (await statusOf(scene, customer, second)) !== "pending", "one of them to be done");
	for (const tablet of [page, other]) {
		await agrees(scene, tablet, shop);
		await until(async () => !(await isRinging(tablet)), "silence on both");
	}
	const { status, version } = await scene.api.read(customer, second);
	assert.ok((status === "cancelled" && version <= 3) || (status === "confirmed" && version === 2), `${status} ${version}`);
});

troubled("both tablets tap the same at the same moment", async (scene) => {
	const { shop, customer, page } = await opened(scene);
	const other = await asKeeper(scene, shop);
	const order = await scene.api.order(customer, shop);
	const buttons = [];
	for (const tablet of [page, other]) buttons.push(await on(tablet, order, "board.confirm_minutes").elementHandle());
	await Promise.all(buttons.map((button) => button.evaluate((b) => b.click())));
	for (const tablet of [page, other]) await on(tablet, order, "board.next_preparing").waitFor();
	assert.equal((await scene.api.read(customer, order)).version, 2);
	for (const tablet of [page, other]) await agrees(scene, tablet, shop);
});

troubled("asleep: its timers stand still while orders come and the push nginx is restarted", async (scene) => {
	const { shop, customer, page } = await opened(scene);
	const first = await scene.api.order(customer, shop);
	await rings(page, 1);
	const wake = await sleeps(page);
	await scene.api.change(shop, first, { status: "cancelled" });
	await scene.stack.restart("push");
	const [second, third] = [await scene.api.order(customer, shop), await scene.api.order(customer, shop)];
	await pause(4000);
	await wake();
	for (const order of [second, third]) await card(page, order).waitFor();
	await rings(page, 2);
	await agrees(scene, page, shop);
	await isLive(page);
});

troubled("the customer's page: the push nginx is killed, then it is offline; it ends at what holds", async (scene) => {
	const shop = await scene.api.shop();
	const customer = await scene.api.user();
	const order = await scene.api.order(customer, shop);
	const page = await asCustomer(scene, customer, `order/${order.id}`);
	await page.getByText(w("order.live")).waitFor();
	await scene.stack.restart("push");
	await scene.api.change(shop, order, { status: "confirmed" });
	await sees(page, "confirmed");
	await page.context().setOffline(true);
	await page.getByText(within("order.not_live")).waitFor({ timeout: 40000 });
	await scene.api.change(shop, order, { status: "ready" });
	await page.context().setOffline(false);
	await sees(page, "ready");
});

troubled("the customer's page: signed out everywhere, its basket stays and is ordered once", async (scene) => {
	const shop = await scene.api.shop();
	const customer = await scene.api.user();
	const page = await asCustomer(scene, customer, `shop/${shop.id}`);
	await page.getByRole("button", { name: w("order.more", { name: shop.products[0].name }) }).click();
	await page.locator("a.bar").click();
	await scene.api.call("POST", "/auth/logout-all", { who: customer });
	await page.getByRole("button", { name: within("order.place_for") }).click();
	const dialog = page.getByRole("dialog");
	await dialog.getByLabel(w("common.password")).fill(customer.password);
	await dialog.getByLabel(w("common.phone")).fill(customer.phone_number);
	await dialog.getByRole("button", { name: w("common.sign_in") }).click();
	await sees(page, "pending");
	assert.equal((await scene.api.orders(shop)).length, 1);
});

troubled("the customer's page: the database is away amid placing; it goes on trying and orders once", async (scene) => {
	const shop = await scene.api.shop();
	const customer = await scene.api.user();
	const page = await asCustomer(scene, customer, `shop/${shop.id}`);
	await page.getByRole("button", { name: w("order.more", { name: shop.products[0].name }) }).click();
	await page.locator("a.bar").click();
	await scene.stack.down("mariadbd");
	try {
		await page.getByRole("button", { name: within("order.place_for") }).click();
		await page.getByText(w("order.trying")).waitFor();
	} finally {
		await scene.stack.back("mariadbd");
	}
	await sees(page, "pending");
	assert.equal((await scene.api.orders(shop)).length, 1);
});

/** A page in a browser that keeps nothing, and lets no page ask. */
async function forgetful(scene, path, options) {
	const page = await scene.open("about:blank", options);
	await page.addInitScript(() => Object.defineProperty(globalThis, "localStorage", { get() { throw new DOMException("Access is denied", "SecurityError"); } }));
	await page.goto(path);
	return page;
}

troubled("a browser that keeps nothing: the board is signed in to, and rings; an order is placed", async (scene) => {
	const shop = await scene.api.shop();
	const customer = await scene.api.user();
	const board = await forgetful(scene, "/board/", { device: "tablet" });
	await signIn(board, shop.keeper);
	await board.getByRole("button", { name: shop.name }).tap();
	await isLive(board);
	const page = await forgetful(scene, `/order/#/shop/${shop.id}`);
	await page.getByRole("button", { name: w("order.more", { name: shop.products[0].name }) }).click();
	await page.locator("a.bar").click();
	await page.getByRole("button", { name: within("order.place_for") }).click();
	const dialog = page.getByRole("dialog");
	await dialog.getByLabel(w("common.phone")).fill(customer.phone_number);
	await dialog.getByLabel(w("common.password")).fill(customer.password);
	await dialog.getByRole("button", { name: w("common.sign_in") }).click();
	const id = await sees(page, "pending");
	await rings(board, 1);
	await confirm(board, { id });
	await sees(page, "confirmed");
	await board.getByRole("button", { name: w("common.sign_out") }).tap();
	await board.getByRole("heading", { name: w("board.sign_in_title") }).waitFor();
});

troubled("a network's own log-in page for a while: the board stays, and shows what came when it is through", async (scene) => {
	const { shop, customer, page } = await opened(scene);
	const first = await scene.api.order(customer, shop);
	await rings(page, 1);
	let asked = 0;
	const body = "<title>Sign in to this network</title>";
	await page.route("**/api/v1/**", (route) => route.fulfill({ status: [401, 403, 404][asked++ % 3], contentType: "text/html", body }));
	await isLive(page, "offline");
	await confirm(page, first);
	await card(page, first).getByText(w("board.not_saved")).waitFor();
	await until(() => asked > 5, "it to go on asking");
	await page.unroute("**/api/v1/**");
	await until(async () => (await statusOf(scene, customer, first)) === "confirmed", "the tap to be saved");
	await scene.api.order(customer, shop);
	await rings(page, 1);
	await agrees(scene, page, shop);
});

troubled("a part of a page that gets lost on its way is asked for again, or said to be missing", async (scene) => {
	const shop = await scene.api.shop();
	const lose = async (page, path) => {
		const network = { asked: 0, isLosing: true };
		await page.context().route((url) => url.pathname === path, (route) => (network.asked++ && !network.isLosing ? route.continue() : route.abort()));
		await page.reload();
		return network;
	};
	const order = await scene.open("/order/");
	const words = await lose(order, "/words/en.js");
	await until(() => words.asked >= 2, "the words to be asked for again");
	words.isLosing = false;
	await order.getByRole("link", { name: shop.name }).first().waitFor();
	const board = await asKeeper(scene, shop);
	const part = await lose(board, "/board/sync.js");
	await board.getByText(w("problem.offline")).waitFor();
	part.isLosing = false;
	await board.getByRole("button", { name: w("common.try_again") }).click();
	await isLive(board);
});

troubled("a photo that does not come is fetched again", async (scene) => {
	const { shop, customer, page } = await opened(scene);
	let asked = 0;
	await page.context().route("**/api/v1/uploads/*", (route) => (asked++ ? route.continue() : route.abort()));
	const order = await scene.api.chitty(customer, shop, photo());
	await card(page, order).getByText(w("board.photo_again")).waitFor();
	await card(page, order).getByRole("img").waitFor();
});

troubled("offline the shop is paused, and then otherwise: both are wanted, the later one first", async (scene) => {
	const { shop, page } = await opened(scene);
	const paused = async (reason) => {
		await page.getByRole("button", { name: w("board.pause") }).tap();
		await page.getByLabel(w("board.pause_reason")).fill(reason);
		await page.getByRole("button", { name: w("board.pause_start") }).tap();
		await alert(page, "board.not_saved").waitFor();
	};
	// What the dialog is made of comes behind the board.
	await page.getByRole("button", { name: w("board.pause") }).tap();
	await page.getByLabel(w("board.pause_reason")).waitFor();
	await page.keyboard.press("Escape");
	await page.context().setOffline(true);
	await isLive(page, "offline");
	await paused("The oven is cold");
	await paused("The oven is gone");
	await page.context().setOffline(false);
	await until(async () => (await scene.api.call("GET", `/shops/${shop.id}`)).pause_reason === "The oven is gone", "the later pause");
	await alert(page, "board.paused").waitFor();
});
