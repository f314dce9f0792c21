// An application of another origin, in a browser that guards ours from it: shut out as nginx's files stand; let in where they name it (CORS).
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { test } from "./lib/test.mjs";

const foreign = (name, run) => test(`foreign: ${name}`, run, "troubled");

/** An empty page of an origin of its own while run(page, origin) lasts. */
async function elsewhere(scene, run) {
	const server = createServer((_, answer) => answer.writeHead(200, { "Content-Type": "text/html" }).end("<!doctype html><title>Another shop</title>"));
	await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
	const origin = `http://127.0.0.1:${server.address().port}`;
	try {
		// What our own pages may not do, and what Chromium says of what it refuses.
		scene.allow(new RegExp(`^a request to ${origin}/`));
		scene.allow(/blocked by CORS policy/);
		await run(await scene.open(`${origin}/`), origin);
	} finally {
		server.closeAllConnections();
		server.close();
	}
}

/** fetch() in the page: {status, headers, value}, or {error} where the browser keeps the answer from it. */
function fetched(page, address, { method = "GET", json, ...headers } = {}) {
	const options = { method, headers: { ...headers, ...(json && { "Content-Type": "application/json" }) }, body: json && JSON.stringify(json) };
	return page.evaluate(async ([to, how]) => {
		try {
			const answer = await fetch(to, how);
			return { status: answer.status, headers: Object.fromEntries(answer.headers), value: await answer.json().catch(() => null) };
		} catch (error) {
			return { error: error.name };
		}
	}, [address, options]);
}

foreign("shut out where nobody let it in", async (scene) => {
	const shop = await scene.api.shop();
	const api = `${scene.origin}/api/v1`;
	await elsewhere(scene, async (page) => {
		assert.deepEqual(await fetched(page, `${api}/shops`), { error: "TypeError" });
		const Authorization = `Bearer ${shop.keeper.access_token}`;
		assert.deepEqual(await fetched(page, `${api}/shops/${shop.id}`, { method: "PATCH", json: { name: "Theirs" }, Authorization }), { error: "TypeError" });
	});
	assert.equal((await scene.api.call("GET", `/shops/${shop.id}`)).name, "Corner Store");
});

foreign("let in: it orders, reads what answers say in headers, and hears of it", async (scene) => {
	const shop = await scene.api.shop();
	const customer = await scene.api.user();
	const api = `${scene.origin}/api/v1`;
	await elsewhere(scene, async (page, origin) => {
		const shutOut = await scene.stack.letIn(origin);
		try {
			const { value: who } = await fetched(page, `${api}/auth/login`, { method: "POST", json: { phone_number: customer.phone_number, password: customer.password } });
			const Authorization = `Bearer ${who.access_token}`;
			const { value: { ticket } } = await fetched(page, `${api}/auth/ticket`, { method: "POST", Authorization });
			await page.evaluate((address) => new Promise((resolve, reject) => {
				const socket = new WebSocket(address);
				globalThis.heard = new Promise((done) => socket.addEventListener("message", ({ data }) => done(JSON.parse(data))));
				socket.addEventListener("open", resolve);
				socket.addEventListener("error", reject);
			}), `${scene.origin.replace("http", "ws")}/ws/customer/${who.user_id}?token=${ticket}`);

			const json = { shop_id: shop.id, items: [{ product_id: shop.products[0].id, quantity: 1 }] };
			const placed = await fetched(page, `${api}/orders/`, { method: "POST", json, Authorization, "Idempotency-Key": "another-shop-1" });
			assert.equal(placed.status, 201);
			assert.equal(placed.headers.location, `/api/v1/orders/${placed.value.id}`);
			const again = await fetched(page, `${api}/orders/`, { method: "POST", json, Authorization, "Idempotency-Key": "another-shop-1" });
			assert.deepEqual([again.value.id, again.headers["idempotent-replayed"]], [placed.value.id, "true"]);

			const order = `${api}/orders/${placed.value.id}`;
			const { headers: { etag } } = await fetched(page, order, { Authorization });
			assert.match(etag, /^"\d+-1"$/);
			await scene.api.change(shop, placed.value, { status: "confirmed", estimated_preparation_minutes: 10 });
			const heard = await page.evaluate(() => globalThis.heard);
			assert.deepEqual([heard.order_id, heard.status], [placed.value.id, "confirmed"]);
			const late = await fetched(page, order, { method: "PATCH", json: { status: "preparing" }, Authorization: `Bearer ${shop.keeper.access_token}`, "If-Match": etag });
			assert.equal(late.status, 412, "refusals are read too");
		} finally {
			await shutOut();
		}
	});
});
