// test.mjs - the list of tests, and waiting for what must become true.

export const tests = [];

/** How long what must happen may take, in ms, where nothing is said: twice the longest pause that a page makes between two tries, 15 seconds. It says
 * nothing of what is quick: where something must come by one way and not by a slower one, the slower one is shut. */
export const PATIENCE_MS = 30000;

/** A test: run(scene) throws where it fails. lane: "calm", "troubled" (takes parts of its stack away) or "alone" (measures). */
export function test(name, run, lane = "calm") {
	tests.push({ name, run, lane });
}

/** Gives what condition() gives once that is true; fails with what otherwise. */
export async function until(condition, what, patience = PATIENCE_MS) {
	const end = Date.now() + patience;
	let last;
	for (;;) {
		last = await condition();
		if (last) return last;
		if (Date.now() > end) throw new Error(`waited ${patience / 1000} s in vain for ${what}`);
		await pause(25);
	}
}

/** Fails unless condition() stays true for so long. */
export async function stays(condition, what, time) {
	for (const end = Date.now() + time; Date.now() < end; await pause(50)) if (!(await condition())) throw new Error(`it did not stay so: ${what}`);
}

export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
