// Names that want to be more than text, in every field that somebody can fill: both pages show them as they are.
import assert from "node:assert/strict";
import { asCustomer, more, placing, register, sees, toCheckout } from "./lib/customer.mjs";
import { alert, asKeeper, card, isLive, on, tap } from "./lib/keeper.mjs";
import { test } from "./lib/test.mjs";
import { w } from "./lib/words.mjs";

const NAMES = {
	"a picture that runs a script": "<img src=x onerror=\"globalThis.hacked=1\">",
	"quotes and ends of things": "\"'`><script>hacked=1</script></style>{id} ${1} &amp; %s",
	"right to left, and an override": "\u202Eمتجر الزاوية\u202C\u2067<b>x</b>",
	"120 letters without a blank": "W".repeat(120),
};
const fit = (text, length) => [...text].slice(0, length).join("");

/** What both people read of it must be the very text, and nothing of it an element. */
async function holds(page, text, where) {
	await page.waitForFunction((t) => document.body.textContent.includes(t), text).catch(() => assert.fail(`${where} does not show ${text}`));
	assert.equal(await page.evaluate(() => globalThis.hacked), undefined, where);
	assert.equal(await page.locator("img[src=x], bdi b, script:not([src])").count(), 0, where);
}

for (const [what, name] of Object.entries(NAMES)) {
	test(`hostile: ${what}, in every field`, async (scene) => {
		const keeper = await scene.api.user("shopkeeper", name);
		const shop = await scene.api.shop({
			keeper, name, address: name, phone_number: "+919800000009", exceptions: [{ date: "2030-01-01", hours: [], note: name }],
			products: [{ name, price: 60, unit: fit(name, 20), description: name, stock: 50 }],
		});
		const board = await asKeeper(scene, shop);
		await isLive(board);
		const page = await scene.open(`/order/#/shop/${shop.id}`);
		await holds(page, name, "the menu");
		await scene.fits(page, "the menu");
		await more(page, name);
		await toCheckout(page);
		await page.locator("summary", { hasText: w("order.wish") }).click();
		await page.getByLabel(w("order.wish_for", { name })).fill(name);
		await page.getByLabel(w("order.notes")).fill(name);
		await scene.fits(page, "the checkout");
		await placing(page).click();
		await register(page, { full_name: name, phone_number: scene.api.phone(), password: scene.api.password });
		const id = await sees(page, "pending");
		await holds(page, name, "the order");
		await scene.fits(page, "the order");

		await card(board, { id }).waitFor();
		await holds(board, name, "the card");
		const text = await card(board, { id }).innerText();
		assert.ok(text.split(fit(name, 20)).length > 4, `name, product, wish and notes on the card: ${text}`);
		await scene.fits(board, "the board");
		await board.evaluate(() => { globalThis.print = () => {}; });
		await tap(board, { id }, "board.print");
		await holds(board, name, "the ticket");
		await board.getByRole("button", { name: w("board.products") }).tap();
		await holds(board, name, "the products");
		await board.getByRole("dialog").getByRole("button", { name: w("common.close") }).tap();
		await scene.api.setShop(shop, { paused_until: new Date(Date.now() + 3600000).toISOString(), pause_reason: name });
		await tap(board, { id }, "board.cancel");
		await board.getByLabel(w("board.reason_own")).fill(name);
		await board.getByRole("dialog").getByRole("button", { name: w("board.cancel") }).tap();
		await sees(page, "cancelled");
		await holds(page, name, "the reason");
		await page.goto(`/order/#/shop/${shop.id}`);
		await page.getByText(w("order.pause_reason", { reason: name })).waitFor();
		await page.goto("/order/#/orders");
		await holds(page, name, "my orders");
		await page.goto("/order/#/");
		await holds(page, name, "the shops");
		await scene.fits(page, "the shops");
		assert.equal(await on(board, { id }, "board.next_confirmed").count(), 0);
		assert.equal(await alert(board, "board.refused").count(), 0);
	});
}

test("hostile: an address of the page that is none", async (scene) => {
	const who = await scene.api.user();
	const page = await asCustomer(scene, who, "shop/<img src=x onerror=alert(1)>");
	await page.getByRole("heading", { name: w("order.shops") }).waitFor();
	await page.goto("/order/#/shop/987654321");
	await page.getByText(w("problem.not_found")).waitFor();
	await page.goto("/order/#/order/987654321");
	await page.getByText(w("problem.not_found")).waitFor();
});
