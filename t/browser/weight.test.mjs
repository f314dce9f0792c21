// What the pages cost a slow telephone: bytes over the wire, all told, and the time until they can be used, which is told but not judged here, as it is mostly
// the machine's. Over TLS and HTTP/2, as telephones reach them.
import assert from "node:assert/strict";
import { clocked, slowPhone, weigh } from "./lib/browser.mjs";
import { test } from "./lib/test.mjs";

const HEAVIEST = 100 * 1024;
const SLOWEST_MS = 1000;
// The machine may be busy with something else for a moment: one quick visit of so many will do.
const VISITS = 3;

/** A first visit with nothing kept: {ms, total, parts}; usable: what can be used then, as a selector. */
async function visit(scene, origin, path, usable, kept) {
	const page = await scene.open("about:blank", { ignoreHTTPSErrors: true, origin, kept });
	const weight = await weigh(page);
	await slowPhone(page);
	const clock = await clocked(page, usable);
	await page.goto(origin + path, { waitUntil: "commit" });
	const ms = await clock.at;
	await page.waitForLoadState("networkidle");
	await page.context().close();
	return { ms, ...weight() };
}

async function measured(scene, name, ...how) {
	const times = [];
	let first = null;
	while (times.length < VISITS && !(Math.min(...times) < SLOWEST_MS)) {
		const seen = await visit(scene, ...how);
		first ??= seen;
		times.push(Math.round(seen.ms));
	}
	process.stderr.write(`${name}: ${first.total} bytes, usable after ${times.join(", ")} ms\n`);
	assert.ok(first.total < HEAVIEST, `${first.total} bytes: ${JSON.stringify(first.parts)}`);
}

test("weight: the order page, until a shop can be chosen", async (scene) => {
	const shop = await scene.api.shop();
	await measured(scene, "order page", await scene.stack.secure(), "/order/", `a[href="#/shop/${shop.id}"]`);
}, "alone");

test("weight: the board, until somebody can sign in", async (scene) => {
	await measured(scene, "board, door", await scene.stack.secure(), "/board/", "#sign-in:not([hidden]) button.go");
}, "alone");

test("weight: the board, until an order can be confirmed", async (scene) => {
	const shop = await scene.api.shop();
	await scene.api.order(await scene.api.user(), shop);
	const kept = { "pickup.board": shop.keeper, [`pickup.board.shop.${shop.keeper.user_id}`]: shop.id };
	await measured(scene, "board", await scene.stack.secure(), "/board/", "button[data-do=confirmed]", kept);
}, "alone");
