// The screen stays awake: also after the browser has let go of it, or refused it for a while.
import assert from "node:assert/strict";
import test, { mock } from "node:test";
import { load } from "./load.mjs";

const { Wake } = await load("board/wake.js");
const settled = () => new Promise(setImmediate);

/** A browser that gives the screen, or not. locks: what it has given. */
function browser() {
	const page = Object.assign(new EventTarget(), { hidden: false });
	const given = { locks: [], isRefused: false, page };
	class Lock extends EventTarget {
		isHeld = true;
		release() {
			this.isHeld = false;
			queueMicrotask(() => this.dispatchEvent(new Event("release")));
		}
	}
	const request = async () => {
		if (given.isRefused) throw new Error("low battery");
		given.locks.push(new Lock());
		return given.locks.at(-1);
	};
	globalThis.document = page;
	Object.defineProperty(globalThis, "navigator", { value: { wakeLock: { request } }, configurable: true });
	given.held = () => given.locks.filter((lock) => lock.isHeld).length;
	given.show = async (isShown) => {
		page.hidden = !isShown;
		if (page.hidden) given.locks.at(-1).release();
		page.dispatchEvent(new Event("visibilitychange"));
		await settled();
	};
	return given;
}

test("asked for when it is shown again", async () => {
	const given = browser();
	const wake = new Wake();
	wake.start();
	await settled();
	assert.ok(wake.isAwake);
	await given.show(false);
	assert.ok(!wake.isAwake);
	await given.show(true);
	assert.ok(wake.isAwake);
	wake.stop();
	await settled();
	assert.deepEqual([wake.isAwake, given.held()], [false, 0]);
});

test("asked for again where the browser let go of it by itself, or refused it", async () => {
	mock.timers.enable({ apis: ["setTimeout"] });
	const given = browser();
	const wake = new Wake();
	wake.start();
	await settled();
	given.isRefused = true;
	given.locks[0].release();
	for (let n = 0; n < 10; n++) {
		await settled();
		mock.timers.tick(5000);
	}
	await settled();
	assert.ok(!wake.isAwake);
	given.isRefused = false;
	mock.timers.tick(5000);
	await settled();
	assert.ok(wake.isAwake);
	wake.stop();
	await settled();
	mock.timers.tick(60000);
	await settled();
	assert.deepEqual([wake.isAwake, given.held(), given.locks.length], [false, 0, 2]);
	mock.timers.reset();
});

test("asked for once at a time: nothing is held that nobody knows of", async () => {
	const given = browser();
	const wake = new Wake();
	wake.start();
	for (let n = 0; n < 3; n++) given.page.dispatchEvent(new Event("visibilitychange"));
	await settled();
	assert.equal(given.locks.length, 1);
	wake.stop();
	await settled();
	assert.equal(given.held(), 0);
});
