// browser.mjs - Chromium, and the devices that the pages are for.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const packages = createRequire(`${process.env.PICKUP_BROWSER_PACKAGES}/`);
const { chromium } = packages("playwright-core");

/** The rules of accessibility, as a script for a page. */
export const axe = () => readFileSync(packages.resolve("axe-core/axe.min.js"), "utf8");

/** By default everything is in English, on a small telephone, in India. */
export const DEVICES = {
	phone: { viewport: { width: 360, height: 740 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true },
	tablet: { viewport: { width: 800, height: 1280 }, deviceScaleFactor: 1, isMobile: true, hasTouch: true },
	desk: { viewport: { width: 1280, height: 800 } },
};

export function launch() {
	// Chromium refuses its sandbox to root; nothing but our own pages is opened. /dev/shm may be tiny in a container.
	// Without a head it would let every page sound that wants to; with one it does not.
	const args = ["--disable-gpu", "--disable-dev-shm-usage", "--autoplay-policy=document-user-activation-required", ...(process.getuid() === 0 ? ["--no-sandbox"] : [])];
	return chromium.launch({ executablePath: process.env.PICKUP_CHROMIUM, chromiumSandbox: process.getuid() !== 0, args });
}

/** A cheap telephone on a slow mobile network: a quarter of this machine's speed, 150 ms to the server and back, 1.6 Mbit/s down and 0.75 up (Lighthouse's "slow 4G"). */
export async function slowPhone(page) {
	const cdp = await page.context().newCDPSession(page);
	await cdp.send("Network.enable");
	await cdp.send("Network.emulateNetworkConditions", { offline: false, latency: 150, downloadThroughput: 1.6e6 / 8, uploadThroughput: 0.75e6 / 8 });
	await cdp.send("Emulation.setCPUThrottlingRate", { rate: 4 });
}

/** When something first matches the selector on the page's next visit: {at}, a promise of the time since that began, in ms.
 * Nothing of Playwright's own runs in the page meanwhile: its helpers are 300 KB, which a slow telephone would take a quarter of a second to read. */
export async function clocked(page, selector) {
	const cdp = await page.context().newCDPSession(page);
	await cdp.send("Runtime.addBinding", { name: "usableAt" });
	await page.addInitScript((wanted) => {
		const look = () => (document.querySelector(wanted) ? globalThis.usableAt(String(performance.now())) : requestAnimationFrame(look));
		look();
	}, selector);
	await cdp.send("Runtime.enable");
	return { at: new Promise((resolve) => cdp.on("Runtime.bindingCalled", ({ payload }) => resolve(Number(payload)))) };
}

/** Two taps of one finger, so many ms apart by its own clock, however busy the machine is. */
export async function doubleTap(page, x, y, gap) {
	const cdp = await page.context().newCDPSession(page);
	const began = Date.now();
	for (const ms of [0, gap]) {
		await page.waitForTimeout(Math.max(0, began + ms - Date.now()));
		const at = (began + ms) / 1000;
		await cdp.send("Input.dispatchTouchEvent", { type: "touchStart", touchPoints: [{ x, y }], timestamp: at });
		await cdp.send("Input.dispatchTouchEvent", { type: "touchEnd", touchPoints: [], timestamp: at + 0.02 });
	}
	await cdp.detach();
}

/** Counts what the page loads, in bytes over the wire with all headers: a function that gives the sum and the parts by address. */
export async function weigh(page) {
	const cdp = await page.context().newCDPSession(page);
	const names = new Map();
	const parts = {};
	await cdp.send("Network.enable");
	cdp.on("Network.responseReceived", (e) => names.set(e.requestId, e.response.url));
	cdp.on("Network.loadingFinished", (e) => {
		const name = new URL(names.get(e.requestId) ?? "about:unknown").pathname;
		parts[name] = (parts[name] ?? 0) + e.encodedDataLength;
	});
	return () => ({ total: Object.values(parts).reduce((a, b) => a + b, 0), parts });
}

/** What pages give the loudspeaker is told by isSounding() in them, and whether they have it by isAudible(); to be there before they are. */
export const listening = (context) => context.addInitScript(() => {
	const speakers = [];
	globalThis.AudioContext = class extends AudioContext {
		constructor(...given) {
			super(...given);
			speakers.push(this);
		}
	};
	globalThis.isAudible = () => speakers.some(({ state }) => state === "running");
	const sounding = new Set();
	const { start, stop } = AudioBufferSourceNode.prototype;
	AudioBufferSourceNode.prototype.start = function (...given) {
		sounding.add(this);
		return start.apply(this, given);
	};
	AudioBufferSourceNode.prototype.stop = function (...given) {
		sounding.delete(this);
		return stop.apply(this, given);
	};
	globalThis.isSounding = () => [...sounding].some((source) => source.loop && source.context.state === "running");
});

/** The page stands still, timers and all, as on a device that sleeps; gives a function that wakes it. */
export async function sleeps(page) {
	const cdp = await page.context().newCDPSession(page);
	await cdp.send("Page.setWebLifecycleState", { state: "frozen" });
	return () => cdp.send("Page.setWebLifecycleState", { state: "active" });
}
