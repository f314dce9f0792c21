// The worker that notifications belong to.
import assert from "node:assert/strict";
import test from "node:test";
import { load } from "./load.mjs";

test("a worker that could not be had is asked for again, under the one policy there can be", async () => {
	const asked = [];
	const policies = new Set();
	const createPolicy = (name, policy) => {
		if (policies.has(name)) throw new TypeError("there is one of that name");
		policies.add(name);
		return { createScriptURL: (text) => ({ trusted: policy.createScriptURL(text) }) };
	};
	const serviceWorker = {
		register: async (address) => {
			asked.push(address.trusted);
			if (asked.length < 2) throw new Error("offline");
			return {};
		},
		getRegistration: async () => undefined,
	};
	globalThis.self = { trustedTypes: { createPolicy }, Notification: {} };
	globalThis.Notification = { permission: "granted", requestPermission: async () => "granted" };
	Object.defineProperty(globalThis, "navigator", { value: { serviceWorker }, configurable: true });
	const { askPermission } = await load("order/notify.js");
	assert.equal(await askPermission(), "granted");
	assert.equal(await askPermission(), "granted");
	assert.deepEqual(asked, ["sw.js", "sw.js"]);
});
