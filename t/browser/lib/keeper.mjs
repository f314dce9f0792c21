// keeper.mjs - what a shopkeeper does on the board, by what is seen and read out; and whether the board tells the truth.
import assert from "node:assert/strict";
import { until } from "./test.mjs";
import { w, within } from "./words.mjs";

const OPEN = ["pending", "confirmed", "preparing", "ready"];

/** The board of a shop on the tablet of its keeper, signed in and touched once, so that it may sound. */
export async function asKeeper(scene, shop, { who = shop.keeper, ...options } = {}) {
	const signedIn = { ...who, ends_at: Date.now() + who.expires_in * 1000 };
	const kept = { "pickup.board": signedIn, [`pickup.board.shop.${who.user_id}`]: shop.id };
	const page = await scene.open("/board/", { device: "tablet", kept, ...options });
	await page.getByRole("heading", { name: shop.name }).click();
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

/** Cards that have just moved take no tap for a moment. */
export const rested = (page) => page.waitForFunction(() => !document.querySelector(".resting"));

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

/** The board shows exactly the open orders that the database holds, each in its column, within so many ms. */
export async function agrees(scene, page, shop, patience = 8000) {
	const held = async () => Object.fromEntries((await scene.api.orders(shop)).filter((o) => OPEN.includes(o.status)).map((o) => [String(o.id), o.status]));
	let last;
	await until(async () => {
		last = [await shown(page), await held()];
		return JSON.stringify(Object.entries(last[0]).sort()) === JSON.stringify(Object.entries(last[1]).sort());
	}, "the board to agree with the database", patience).catch((error) => assert.deepEqual(last[0], last[1], error.message));
}

export const isLive = (page, kind = "live", patience = 10000) => page.locator("#live").getByText(w(`board.live_${kind}`)).waitFor({ timeout: patience });

export const isRinging = (page) => page.evaluate(() => globalThis.isSounding());

/** It rings, and says for how many orders. */
export async function rings(page, n, patience = 8000) {
	await alert(page, "board.ringing", { n }).waitFor({ timeout: patience });
	await until(() => isRinging(page), "a sound", patience);
}
