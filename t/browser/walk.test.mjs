// The whole way of an order with both pages open side by side, by what two people see and tap.
import assert from "node:assert/strict";
import { button, field, hears, heading, link, more, placing, register, sees, toCheckout } from "./lib/customer.mjs";
import { agrees, card, confirm, isLive, isRinging, on, ringsAtOnce, signIn, tap } from "./lib/keeper.mjs";
import { test, until } from "./lib/test.mjs";
import { w, within } from "./lib/words.mjs";

/** The keeper's tablet, from the door. */
async function board(scene, shop) {
	const page = await scene.open("/board/", { device: "tablet" });
	await page.getByRole("heading", { name: w("board.sign_in_title") }).waitFor();
	await signIn(page, shop.keeper);
	await page.getByRole("button", { name: shop.name }).tap();
	await isLive(page);
	return page;
}

test("walk: from an empty basket to picked up, both pages side by side", async (scene) => {
	const shop = await scene.api.shop({ name: "Asha's Corner", products: [{ name: "Basmati rice", price: 60, unit: "kg", stock: 9 }, { name: "Toor dal", price: 142.5 }] });
	const keeper = await board(scene, shop);
	const customer = await scene.open("/order/");
	await link(customer, "order.title").waitFor();
	await customer.getByRole("link", { name: shop.name }).click();
	await customer.getByText(w("order.left", { n: 9 })).waitFor();
	for (const name of ["Basmati rice", "Basmati rice", "Toor dal"]) await more(customer, name);
	await toCheckout(customer);
	await field(customer, "order.notes").fill("Will come at 5 PM sharp");
	await placing(customer).click();
	const id = await ringsAtOnce(keeper, 1, async () => {
		await register(customer, { full_name: "Kiran Kumar", phone_number: scene.api.phone(), password: scene.api.password });
		return sees(customer, "pending");
	});
	await customer.getByText(w("order.live")).waitFor();
	const order = card(keeper, { id });
	for (const text of ["Kiran Kumar", "Basmati rice", "Toor dal", "Will come at 5 PM sharp", /262\.50/]) await order.getByText(text).first().waitFor();
	assert.match(await keeper.title(), /\(1\)/);
	await confirm(keeper, { id });
	await hears(scene, customer, "confirmed");
	await customer.getByText(w("order.minutes", { n: 20 })).waitFor();
	await until(async () => !(await isRinging(keeper)), "silence");
	await tap(keeper, { id }, "board.next_preparing");
	await hears(scene, customer, "preparing");
	await tap(keeper, { id }, "board.next_ready");
	await hears(scene, customer, "ready");
	await agrees(scene, keeper, shop);
	await tap(keeper, { id }, "board.next_picked_up");
	await hears(scene, customer, "picked_up");
	await agrees(scene, keeper, shop);
	assert.doesNotMatch(await keeper.title(), /\(1\)/);

	await link(customer.getByRole("main"), "order.mine").click();
	await customer.getByRole("link", { name: w("order.order", { id }) }).waitFor();
});

test("walk: a pre-order with its day and time, other minutes, and a cancellation with a reason", async (scene) => {
	const shop = await scene.api.shop({ name: "Green Basket", slot_minutes: 30 });
	const keeper = await board(scene, shop);
	const customer = await scene.open(`/order/#/shop/${shop.id}`);
	await more(customer, "Basmati rice");
	await toCheckout(customer);
	await field(customer, "order.later").check();
	await field(customer, "order.day").selectOption({ index: 2 });
	await customer.getByRole("group", { name: w("order.slot") }).getByRole("radio").nth(20).check();
	await placing(customer).click();
	const id = await ringsAtOnce(keeper, 1, async () => {
		await register(customer, { full_name: "Meera Nair", phone_number: scene.api.phone(), password: scene.api.password });
		return sees(customer, "pending");
	});
	await customer.getByText(w("order.live")).waitFor();
	const { scheduled_pickup_time } = await scene.api.read(shop.keeper, { id });
	const day = new Intl.DateTimeFormat("en", { weekday: "short", timeZone: shop.timezone }).format(new Date(scheduled_pickup_time));
	await card(keeper, { id }).getByText(new RegExp(day)).first().waitFor();
	await tap(keeper, { id }, "board.minutes");
	await keeper.getByRole("dialog").getByRole("button", { name: w("board.minutes_choice", { n: 40 }) }).tap();
	await hears(scene, customer, "confirmed");
	await tap(keeper, { id }, "board.cancel");
	await keeper.getByLabel(w("board.reason_sold_out")).check();
	await keeper.getByRole("dialog").getByRole("button", { name: w("board.cancel") }).tap();
	await hears(scene, customer, "cancelled");
	await customer.getByText(within("board.reason_sold_out")).waitFor();
	await agrees(scene, keeper, shop);
	const order = await scene.api.read(shop.keeper, { id });
	assert.deepEqual([order.status, order.cancelled_by, order.estimated_preparation_minutes], ["cancelled", "shopkeeper", 40]);
	await button(customer, "common.sign_out").click();
	await heading(customer, "order.order", { id }).waitFor();
	assert.equal(await on(keeper, { id }, "board.next_ready").count(), 0);
});
