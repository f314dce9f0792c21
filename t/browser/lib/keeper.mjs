// keeper.mjs - what a shopkeeper does on the board, by what is seen and read out; and whether the board tells the truth.
import assert from "node:assert/strict";
import { until } from "./test.mjs";
import { w, within } from "./words.mjs";

const OPEN = ["pending", "confirmed", "preparing", "ready"];

/** The board of a shop on the tablet of its keeper, signed in and touched once, so that it may sound; and it does, and keeps the screen on: what it says before would
 * move its cards, and those take no tap just then. */
export async function asKeeper(scene, shop, { who = shop.keeper, ...options } = {}) {
	const signedIn = { ...who, ends_at: Date.now() + who.expires_in * 1000 };
	const kept = { "pickup.board": signedIn, [`pickup.board.shop.${who.user_id}`]: shop.id };
	const page = await scene.open("/board/", { device: "tablet", kept, ...options });
	await page.getByRole("heading", { name: shop.name }).click();
	await page.evaluate(() => {
		const live = document.getElementById("live");
		globalThis.said = new Set();
		new MutationObserver(() => globalThis.said.add(live.dataset.kind)).observe(live, { attributeFilter: ["data-kind"] });
	});
	await page.waitForFunction(() => globalThis.isAudible());
	await alert(page, "board.sleepy").waitFor({ state: "detached" });
	return page;
}

/** The form at the door. */
export async function signIn(page, { phone_number, password }) {
	await page.getByLabel(w("common.phone")).fill(phone_number);
	await page.getByLabel(w("common.password")).fill(password);
	await page.getByRole("button", { name: w("common.sign_in") }).click();
}

export const card = (page, { id }) => page.getByRole("listitem").filter({ has: page.getByRole("heading", { name: new RegExp(`^#${id}\\s`) }) });

/** A button on an order's card, by its words: "board.next_ready", "board.cancel", … */
export const on = (page, order, name, values) => card(page, order).getByRole("button", { name: new RegExp(within(name, values).source.replace(/^|\|/g, (bar) => `${bar}^`)) }).first();

/** Cards that have just moved take no tap for a moment; one whose step has no answer yet moves when it has. */
export const rested = (page) => page.waitForFunction(() => !document.querySelector(".resting, .card.waiting"));

export async function tap(page, order, name, values) {
	const button = on(page, order, name, values);
	await button.waitFor();
	await rested(page);
	await button.tap();
}
export const confirm = (page, order) => tap(page, order, "board.confirm_minutes");

export const alert = (page, name, values) => page.locator("#alerts").getByText(within(name, values)).first();

/** The orders of each column that is shown, by id: {"5": "pending", …}. */
export function shown(page) {
	return page.evaluate((names) => Object.fromEntries(names.flatMap((name) => {
		const list = document.getElementById(`column-${name}`)?.parentElement.querySelector("ol");
		return [...(list?.children ?? [])].map((card) => [card.dataset.key, name]);
	})), OPEN);
}

/** The board comes to show exactly the open orders that the database holds, each in its column. */
export async function agrees(scene, page, shop) {
	const held = async () => Object.fromEntries((await scene.api.orders(shop)).filter((o) => OPEN.includes(o.status)).map((o) => [String(o.id), o.status]));
	let last;
	await until(async () => {
		last = [await shown(page), await held()];
		return JSON.stringify(Object.entries(last[0]).sort()) === JSON.stringify(Object.entries(last[1]).sort());
	}, "the board to agree with the database").catch((error) => assert.deepEqual(last[0], last[1], error.message));
}

export const isLive = (page, kind = "live") => page.locator("#live").getByText(w(`board.live_${kind}`)).waitFor();

/** Until now, since asKeeper, or soon it says so; it may say something else by now. */
export const hasSaid = (page, kind) => page.waitForFunction((k) => globalThis.said.has(k), kind);

export const isRinging = (page) => page.evaluate(() => globalThis.isSounding());

/** It rings, and says for how many orders. */
export async function rings(page, n) {
	await alert(page, "board.ringing", { n }).waitFor();
	await until(() => isRinging(page), "a sound");
}

/** It rings for what happens in work by what its socket brings: meanwhile nothing that it asks of orders is answered. Gives what work gives. */
export async function ringsAtOnce(page, n, work) {
	const lists = "**/api/v1/orders/shop/**";
	const held = [];
	const hold = (route) => void held.push(route);
	await page.route(lists, hold);
	const done = await work();
	await rings(page, n);
	await page.unroute(lists, hold);
	// The page may have given one up meanwhile.
	for (const route of held) await route.continue().catch(() => {});
	return done;
}
