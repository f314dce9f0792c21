// Browsers of older tablets, which lack this and that.
import assert from "node:assert/strict";
import test from "node:test";
import { load } from "./load.mjs";

test("a request ends by itself where there is no AbortSignal.timeout", async (t) => {
	const { timeout } = AbortSignal;
	AbortSignal.timeout = undefined;
	t.after(() => { AbortSignal.timeout = timeout; });
	globalThis.location = { href: "https://shop.example/board/", origin: "https://shop.example" };
	const { request } = await load("lib/api.js");
	globalThis.fetch = async () => new Response("[]");
	assert.deepEqual((await request("GET", "/shops/", { patience: 50 })).value, []);
	globalThis.fetch = (_, { signal }) => new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
	await assert.rejects(request("GET", "/shops/", { patience: 50 }), { status: 0 });
});

test("the dialogs are there where no style sheet can be made", async () => {
	globalThis.document = { head: { append() {} }, createElement: () => ({ setAttribute() {}, append() {} }) };
	assert.equal(globalThis.CSSStyleSheet, undefined);
	const more = await load("board/more.js");
	for (const name of ["askMinutes", "askPrice", "askReason", "showPhoto", "askPause", "showProducts", "showSettings", "print"]) assert.equal(typeof more[name], "function", name);
});
