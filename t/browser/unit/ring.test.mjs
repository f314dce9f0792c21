// The sound goes on by itself: after a call, on another loudspeaker, after a sleep; and where it can't, the page does not say that it sounds.
import assert from "node:assert/strict";
import test, { mock } from "node:test";
import { load } from "./load.mjs";

/** A loudspeaker that runs as the test says. */
class Context {
	static all = [];
	static first = "running";
	state = Context.first;
	currentTime = 0;
	sounds = 0;
	isStill = Context.isStill;
	constructor() {
		Context.all.push(this);
	}
	createGain = () => ({ gain: { value: 0 }, connect() {} });
	createBuffer = (_, length) => ({ getChannelData: () => new Float32Array(length) });
	createBufferSource = () => ({ connect() {}, start: () => this.sounds++, stop: () => this.sounds-- });
	async resume() {
		if (!this.isHeld) this.become("running");
	}
	async close() {
		this.become("closed");
	}
	become(state) {
		if (this.state === state) return;
		this.state = state;
		this.onstatechange?.();
	}
}
Object.assign(globalThis, { window: { AudioContext: Context }, AudioContext: Context, addEventListener() {} });
Object.defineProperty(globalThis, "navigator", { value: { userActivation: { hasBeenActive: true } }, configurable: true });
const { Ring } = await load("board/ring.js");

let at = 0;

function started(t) {
	mock.timers.enable({ apis: ["setTimeout", "setInterval"] });
	t.mock.method(performance, "now", () => at);
	t.after(() => mock.timers.reset());
	Context.all.length = 0;
	Context.isStill = false;
	const ring = new Ring(80);
	ring.start();
	pass(3);
	return ring;
}
/** So many seconds; sound that runs goes on meanwhile. */
function pass(seconds) {
	for (let n = 0; n < seconds; n++) {
		for (const context of Context.all) if (context.state === "running" && !context.isStill) context.currentTime++;
		at += 1000;
		mock.timers.tick(1000);
	}
}
/** The page stands still for so long, as on a busy device; its next second begins at once, and its timers are due. */
function stall(seconds) {
	at += seconds * 1000 - 5;
	for (const context of Context.all) if (context.state === "running") context.currentTime += seconds;
	mock.timers.tick(1000);
	at += 5;
}
const speaker = () => Context.all.at(-1);

test("it sounds for an hour, on one loudspeaker", (t) => {
	const ring = started(t);
	ring.play("new");
	pass(3600);
	assert.deepEqual([ring.state, Context.all.length, speaker().sounds], ["ready", 1, 1]);
	ring.play(null);
	assert.equal(speaker().sounds, 0);
});

for (const state of ["suspended", "interrupted"]) {
	test(`${state} by the browser, it goes on as soon as it may`, (t) => {
		const ring = started(t);
		ring.play("new");
		speaker().isHeld = true;
		speaker().become(state);
		assert.equal(ring.state, "blocked");
		pass(10);
		assert.equal(ring.state, "blocked");
		speaker().isHeld = false;
		pass(2);
		assert.deepEqual([ring.state, speaker().sounds], ["ready", 1]);
	});
}

test("one that stands still while it is said to run is taken anew, and what rang rings on", (t) => {
	const ring = started(t);
	ring.play("new");
	const states = [];
	ring.addEventListener("state", () => states.push(ring.state));
	speaker().isStill = true;
	pass(6);
	assert.deepEqual([Context.all.length, Context.all[0].state, speaker().sounds, ring.state], [2, "closed", 1, "ready"]);
	assert.ok(states.includes("blocked"));
});

test("two looks at once, after the page stood still, are none", (t) => {
	const ring = started(t);
	ring.play("new");
	for (let n = 0; n < 20; n++) {
		stall(3);
		mock.timers.tick(2000);
	}
	assert.deepEqual([ring.state, Context.all.length, speaker().sounds], ["ready", 1, 1]);
});

test("where that does not help it says so, and tries again when somebody touches the page", (t) => {
	const ring = started(t);
	ring.play("new");
	Context.isStill = true;
	speaker().isStill = true;
	pass(60);
	assert.deepEqual([Context.all.length, ring.state], [2, "blocked"]);
	Context.isStill = false;
	ring.unlock();
	pass(4);
	assert.deepEqual([Context.all.length, ring.state, speaker().sounds], [3, "ready", 1]);
});
