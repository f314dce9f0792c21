// Every view of both pages in two sizes and both schemes: no rule of accessibility is violated, nothing reaches out of the screen; and a picture of each for people.
import { button, field, more, placing, toCheckout, asCustomer } from "./lib/customer.mjs";
import { alert, asKeeper, card, isLive, on, rested, signIn, tap } from "./lib/keeper.mjs";
import { photo } from "./lib/photos.mjs";
import { test } from "./lib/test.mjs";
import { w } from "./lib/words.mjs";

const PRODUCTS = [
	{ name: "Basmati rice", price: 60, unit: "kg", stock: 500, description: "Old harvest, long grain" }, { name: "Toor dal", price: 142.5, unit: "kg", stock: 3 },
	{ name: "Milk", price: 33, unit: "litre" }, { name: "Paneer", price: 90, stock: 0 },
];
const soon = (minutes) => new Date(Date.now() + minutes * 60000).toISOString().replace(/\.\d+/, "");

test("views: the order page from the shops to the basket", async (scene) => {
	const shop = await scene.api.shop({ name: "Corner Store", address: "1 Main Street\nPune", phone_number: "+912012345678", slot_minutes: 30, slot_capacity: 3, products: PRODUCTS });
	const closed = await scene.api.shop({ name: "Green Basket", opening_hours: { mon: [["00:00", "00:01"]] }, products: PRODUCTS });
	await scene.api.setShop(closed, { paused_until: soon(600), pause_reason: "Stocktaking" });
	const page = await scene.open("/order/");
	await page.getByRole("link", { name: shop.name }).first().waitFor();
	await scene.view(page, "order-shops");
	await page.goto(`/order/#/shop/${closed.id}`);
	await page.getByText(/Stocktaking/).waitFor();
	await scene.view(page, "order-menu-paused");
	await page.goto(`/order/#/shop/${shop.id}`);
	await more(page, "Basmati rice");
	await more(page, "Toor dal");
	await scene.view(page, "order-menu");
	await toCheckout(page);
	await field(page, "order.later").check();
	await field(page, "order.day").selectOption({ index: 1 });
	await page.getByRole("group", { name: w("order.slot") }).getByRole("radio").nth(4).check();
	await scene.view(page, "order-checkout");
	await placing(page).click();
	await page.getByRole("dialog").waitFor();
	await scene.view(page, "order-sign-in");
	await button(page.getByRole("dialog"), "order.no_account").click();
	await scene.view(page, "order-register");
});

test("views: the order page from a refusal to its orders", async (scene) => {
	const shop = await scene.api.shop({ name: "Corner Store", products: PRODUCTS });
	const who = await scene.api.user();
	const page = await asCustomer(scene, who, `shop/${shop.id}`);
	for (const name of ["Basmati rice", "Toor dal", "Toor dal", "Toor dal"]) await more(page, name);
	await toCheckout(page);
	await scene.api.call("PATCH", `/products/${shop.products[1].id}`, { who: shop.keeper, json: { stock: 1 } });
	await placing(page).click();
	await page.locator("#news button").first().waitFor();
	await scene.view(page, "order-refused");
	const order = await scene.api.chitty(who, shop, photo(), { order_notes: "No plastic bags, please" });
	await page.goto(`/order/#/order/${order.id}`);
	await page.getByRole("img", { name: w("order.photo_of_list") }).waitFor();
	await page.getByText(w("order.live")).waitFor();
	await scene.view(page, "order-progress");
	await scene.api.change(shop, order, { status: "confirmed", estimated_preparation_minutes: 20 });
	await scene.api.change(shop, order, { status: "ready" });
	await page.getByText(w("order.status.ready")).first().waitFor();
	await scene.view(page, "order-ready");
	const other = await scene.api.order(who, shop);
	await scene.api.change(shop, other, { status: "cancelled", cancel_reason: "We are closing" });
	await page.goto("/order/#/orders");
	await page.getByRole("link", { name: w("order.order", { id: other.id }) }).waitFor();
	await scene.view(page, "order-mine");
});

/** A shop with orders of all kinds, some of them new. */
async function busy(scene) {
	const shop = await scene.api.shop({ name: "Corner Store", products: PRODUCTS });
	const people = [await scene.api.user("customer", "Kiran Kumar"), await scene.api.user("customer", "Zoë Müller-Lüdenscheidt")];
	const orders = [];
	for (const status of ["ready", "preparing", "confirmed", "picked_up", "cancelled", null, null]) {
		const order = await scene.api.order(people[orders.length % 2], shop, orders.length % 2 ? { order_notes: "Will come at 5 PM sharp" } : { order_type: "pre_order", scheduled_pickup_time: soon(60 * 26 * (orders.length + 1)) });
		orders.push(order);
		const way = { ready: ["confirmed", "ready"], preparing: ["confirmed", "preparing"], confirmed: ["confirmed"], picked_up: ["confirmed", "ready", "picked_up"], cancelled: ["cancelled"] };
		for (const step of way[status] ?? []) await scene.api.change(shop, order, { status: step });
	}
	orders.push(await scene.api.chitty(people[0], shop, photo()));
	return { shop, orders, last: orders.at(-1) };
}

test("views: the board from its door to a busy day", async (scene) => {
	const { shop, last } = await busy(scene);
	const page = await scene.open("/board/", { device: "tablet" });
	await page.getByRole("heading", { name: w("board.sign_in_title") }).waitFor();
	await scene.view(page, "board-sign-in");
	await signIn(page, shop.keeper);
	await page.getByRole("button", { name: shop.name }).waitFor();
	await scene.view(page, "board-shops");
	await page.getByRole("button", { name: shop.name }).tap();
	await isLive(page);
	await card(page, last).getByRole("img").waitFor();
	await alert(page, "board.ringing").waitFor();
	await page.locator("details.finished summary").click();
	await page.evaluate(() => scrollTo(0, 0));
	await scene.view(page, "board");
	await page.context().setOffline(true);
	await isLive(page, "offline");
	await on(page, last, "board.confirm_minutes").click();
	await card(page, last).getByText(w("board.not_saved")).waitFor();
	await scene.view(page, "board-offline");
});

test("views: the board's dialogs", async (scene) => {
	const { shop, last } = await busy(scene);
	const page = await asKeeper(scene, shop);
	await isLive(page);
	await card(page, last).getByRole("img").waitFor();
	const dialog = page.getByRole("dialog");
	const shut = (name) => dialog.getByRole("button", { name: w(name) }).click();
	for (const [name, open, close] of [
		["minutes", () => tap(page, last, "board.minutes"), "common.close"], ["price", () => tap(page, last, "board.price"), "common.close"],
		["cancel", () => tap(page, last, "board.cancel"), "common.back"], ["photo", () => card(page, last).getByRole("img").tap(), "common.close"],
		["settings", () => page.getByRole("button", { name: w("board.settings") }).tap(), "common.close"],
		["products", () => page.getByRole("button", { name: w("board.products") }).tap(), "common.close"], ["pause", () => page.getByRole("button", { name: w("board.pause") }).tap(), "common.back"],
	]) {
		await open();
		await dialog.waitFor();
		await scene.view(page, `board-${name}`);
		await shut(close);
		await rested(page);
	}
});

test("views: German, whose words are longer", async (scene) => {
	const { shop, last } = await busy(scene);
	const board = await asKeeper(scene, shop, { locale: "de-DE" });
	await card(board, last).waitFor();
	await scene.view(board, "board-german");
	const page = await asCustomer(scene, await scene.api.user(), `shop/${shop.id}`, { locale: "de-DE" });
	await page.getByText("Basmati rice").waitFor();
	await scene.view(page, "order-menu-german");
});
