// Who is signed in, in browsers that keep everything, nothing, or something else; and whose answers count.
import assert from "node:assert/strict";
import test from "node:test";
import { load } from "./load.mjs";

const { Problem, Session } = await load("lib/api.js");
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

test("only the program's own answers end a session, or are refusals", async () => {
	const page = "<html>Sign in to this network</html>";
	const cases = [
		[401, { code: "unauthorized" }, false, null], [401, page, true, "a"], [401, {}, true, "a"], [403, page, true, "a"], [404, page, true, "a"],
		[403, { code: "forbidden" }, false, "a"], [404, { code: "not_found" }, false, "a"], [429, { code: "rate_limited" }, true, "a"], [503, page, true, "a"], [200, page, true, "a"],
	];
	for (const [status, value, isPassing, token] of cases) {
		keeping(new Map([["s", JSON.stringify(WHO)]]));
		answering(status, value);
		const session = new Session("s");
		const problem = await session.call("GET", "/orders/me").catch((p) => p);
		assert.ok(problem instanceof Problem);
		assert.deepEqual([problem.isPassing, session.token ?? null], [isPassing, token], `${status} ${JSON.stringify(value)}`);
	}
});
