// Who is signed in, in browsers that keep everything, nothing, or something else.
import assert from "node:assert/strict";
import test from "node:test";
import { load } from "./load.mjs";

const { Session } = await load("lib/api.js");
const WHO = { access_token: "a", expires_in: 3600, role: "customer", user_id: 9 };
globalThis.addEventListener = () => {};
Object.assign(globalThis, { location: { href: "https://shop.example/order/", origin: "https://shop.example" } });

function keeping(map) {
	const storage = { getItem: (name) => map.get(name) ?? null, setItem: (name, text) => map.set(name, text), removeItem: (name) => map.delete(name) };
	Object.defineProperty(globalThis, "localStorage", { get: () => storage, configurable: true });
}
const full = () => keeping(Object.assign(new Map(), { set() { throw new DOMException("full", "QuotaExceededError"); } }));
const forbidden = () => Object.defineProperty(globalThis, "localStorage", { get() { throw new DOMException("no", "SecurityError"); }, configurable: true });
const answering = (status, value) => { globalThis.fetch = async () => new Response(typeof value === "string" ? value : JSON.stringify(value), { status }); };

for (const [name, browser] of Object.entries({ full, forbidden })) {
	test(`in a browser whose storage is ${name} somebody signs in, and out, for as long as the page is open`, async () => {
		browser();
		answering(200, WHO);
		const session = new Session("s");
		let changes = 0;
		session.addEventListener("change", () => changes++);
		await session.signIn("+911", "secret");
		assert.deepEqual([session.token, changes], ["a", 1]);
		session.signOut();
		assert.deepEqual([session.token, changes], [undefined, 2]);
	});
}

test("what is kept there that is nobody is nobody", () => {
	for (const odd of ["", "{", "3", "\"x\"", "[]", "{}", "{\"access_token\":1}", "null"]) {
		keeping(new Map([["s", odd]]));
		assert.equal(new Session("s").who, null, odd);
	}
	keeping(new Map([["s", JSON.stringify(WHO)]]));
	assert.equal(new Session("s").token, "a");
});
