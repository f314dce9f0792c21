// main.mjs - runs the tests of all *.test.mjs here and prints TAP. Three lanes at once, each with a stack and a browser of its own: two of calm ones, and one
// of those that take parts of their stack away. What is measured comes last, alone.
// Used by: run.
import { execFile } from "node:child_process";
import { readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { Stack } from "./lib/stack.mjs";
import { launch } from "./lib/browser.mjs";
import { Scene } from "./lib/scene.mjs";
import { tests } from "./lib/test.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const PATIENCE_MS = 180000;

function print(state, name, error) {
	state.count++;
	state.failed += error ? 1 : 0;
	process.stdout.write(`${error ? "not ok" : "ok"} ${state.count} - ${name.replaceAll("#", "\\#")}\n`);
	if (error) process.stdout.write(String(error.stack ?? error).replace(/^/gm, "# ") + "\n");
}

/** Settles as work does, or fails after some minutes: only what hangs. */
async function inTime(work) {
	let timer;
	const late = new Promise((_, reject) => {
		timer = setTimeout(() => reject(new Error(`not done after ${PATIENCE_MS / 1000} s`)), PATIENCE_MS);
	});
	try {
		return await Promise.race([work, late]);
	} finally {
		clearTimeout(timer);
	}
}

async function runOne(test, stack, browser) {
	const scene = new Scene(test.name, stack, browser);
	let error = null;
	const began = performance.now();
	try {
		await inTime(test.run(scene));
	} catch (e) {
		error = e;
		await scene.picturesOfFailure().catch(() => {});
	}
	const faults = await scene.end();
	if (faults.length) error = new Error(`${error ? `${error.stack}\n` : ""}what the browser said:\n${faults.join("\n")}`);
	if (process.env.PICKUP_TIMES) process.stderr.write(`${((performance.now() - began) / 1000).toFixed(1)} s ${test.name}\n`);
	return error;
}

/** queues: lists of tests; the next one is taken from the first that has one still. */
async function lane(name, queues, state) {
	if (!queues[0].length) return;
	const stack = new Stack(join(process.env.PICKUP_SCRATCH, name));
	let browser;
	try {
		await stack.up();
		browser = await launch();
		for (let test; (test = queues.find((q) => q.length)?.shift()); ) print(state, test.name, await runOne(test, stack, browser));
	} catch (error) {
		print(state, `the lane ${name}`, error);
	} finally {
		await browser?.close();
		await stack.stop().catch((error) => print(state, `the end of ${name}`, error));
	}
}

/** Tests of the pages' rules, which need no browser: one line a file. */
async function unit(state, only) {
	const folder = join(here, "unit");
	for (const file of readdirSync(folder).filter((f) => f.endsWith(".test.mjs") && `unit: ${f}`.includes(only)).sort()) {
		const error = await promisify(execFile)(process.execPath, [join(folder, file)], { timeout: PATIENCE_MS }).then(() => null, (e) => e.stdout || e);
		print(state, `unit: ${file}`, error);
	}
}

async function main() {
	const only = process.argv[2] === "--only" ? process.argv[3] : "";
	for (const file of readdirSync(here).filter((f) => f.endsWith(".test.mjs")).sort()) await import(join(here, file));
	const chosen = tests.filter((t) => t.name.includes(only));
	const of = (name) => chosen.filter((t) => t.lane === name);
	const state = { count: 0, failed: 0 };
	await unit(state, only);
	const calm = of("calm");
	// They wait more than they work. The lane that is done first helps the others.
	await Promise.all([lane("calm", [calm], state), lane("other", [calm], state), lane("troubled", [of("troubled"), calm], state)]);
	await lane("alone", [of("alone")], state);
	process.stdout.write(`1..${state.count}\n`);
	process.exitCode = state.failed ? 1 : 0;
}

await main();
