// scene.mjs - what one test opens: pages, each on a device of its own, watched for what no page may do.
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { axe, DEVICES, listening } from "./browser.mjs";
import { PATIENCE_MS } from "./test.mjs";

const SCREENSHOTS = process.env.PICKUP_SCREENSHOTS ?? "screenshots";
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
// What Chromium itself says of a request that failed; the pages say it in their own way, and that is what tests look at.
const OF_THE_NETWORK = /^(Failed to load resource|WebSocket connection to)/;
const OF_THE_PAGES = /^\/(board|order|lib|words)\//;

export class Scene {
	#contexts = [];
	#faults = [];
	#allowed = [];
	#frames = new WeakMap();

	constructor(name, stack, browser) {
		Object.assign(this, { name, stack, browser, api: stack.api, origin: stack.origin });
	}

	/** A page at that path, on a device of its own. options: device, kept (what the browser has in its localStorage), origin (another address
	 * of the same server), and what Playwright takes for a context. */
	async open(path, { device = "phone", kept = {}, origin = this.origin, ...options } = {}) {
		const localStorage = Object.entries(kept).map(([name, value]) => ({ name, value: JSON.stringify(value) }));
		const context = await this.browser.newContext({
			...DEVICES[device], baseURL: this.origin, locale: "en-GB", timezoneId: "Asia/Kolkata",
			storageState: { cookies: [], origins: [{ origin, localStorage }] },
			...options,
		});
		this.#contexts.push(context);
		context.setDefaultTimeout(PATIENCE_MS);
		context.on("page", (page) => this.#watch(page, origin));
		const page = await context.newPage();
		await listening(context);
		await page.goto(path);
		return page;
	}

	/** Another tab beside that one: the same browser, the same account. */
	async beside(page, path) {
		const other = await page.context().newPage();
		await other.goto(path);
		return other;
	}

	/** What the sockets of the page have brought until now. */
	heard(page) {
		return this.#frames.get(page);
	}

	/** A console line like this is no fault of this test. */
	allow(pattern) {
		this.#allowed.push(pattern);
	}

	#fault(text) {
		if (!this.#allowed.some((pattern) => pattern.test(text))) this.#faults.push(text);
	}

	#watch(page, origin) {
		const frames = [];
		this.#frames.set(page, frames);
		page.on("pageerror", (error) => this.#fault(`an error nobody caught: ${error.stack ?? error}`));
		page.on("console", (message) => {
			const text = message.text();
			if (message.type() === "error" && !OF_THE_NETWORK.test(text)) this.#fault(`console: ${text}`);
			else if (/Content.Security.Policy|Permissions.Policy|Trusted/i.test(text)) this.#fault(`policy: ${text}`);
		});
		page.on("dialog", (dialog) => {
			this.#fault(`a dialog of the browser: ${dialog.message()}`);
			dialog.dismiss();
		});
		page.on("request", (request) => this.#judgeAddress(request.url(), origin));
		page.on("websocket", (socket) => {
			this.#judgeAddress(socket.url().replace(/^ws/, "http"), origin);
			socket.on("framereceived", ({ payload }) => frames.push(String(payload)));
		});
		page.on("response", (response) => {
			const { pathname } = new URL(response.url());
			if (response.status() >= 400 && OF_THE_PAGES.test(pathname)) this.#fault(`${response.status()} for ${pathname}`);
		});
	}

	/** Nothing of another host, and no token in an address but the ticket of a minute. */
	#judgeAddress(address, origin) {
		const url = new URL(address);
		if (!["blob:", "data:", "about:"].includes(url.protocol) && url.origin !== origin) this.#fault(`a request to ${address}`);
		for (const token of address.match(/eyJ[\w-]*\.eyJ[\w-]*/g) ?? []) {
			const left = JSON.parse(Buffer.from(token.split(".")[1], "base64url")).exp - Date.now() / 1000;
			if (!url.pathname.startsWith("/ws/") || !(left <= 61)) this.#fault(`a token in the address of ${url.pathname}, for ${left} s`);
		}
	}

	/** A picture of the view for people, in the sizes and schemes that the pages are for; and no rule of accessibility is violated in any. */
	async view(page, name) {
		const before = page.viewportSize();
		for (const device of ["phone", "tablet"]) {
			for (const colorScheme of ["light", "dark"]) {
				await page.setViewportSize(DEVICES[device].viewport);
				await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
				await this.shot(page, `${name}-${device}-${colorScheme}`);
				// Each size and each scheme once: what a scheme breaks it breaks in both sizes.
				if ((device === "phone") === (colorScheme === "light")) await this.accessible(page, `${name}, ${device}, ${colorScheme}`);
				await this.fits(page, `${name}, ${device}`);
			}
		}
		await page.emulateMedia({ colorScheme: null, reducedMotion: null });
		await page.setViewportSize(before);
	}

	async shot(page, name) {
		mkdirSync(SCREENSHOTS, { recursive: true });
		await page.screenshot({ path: `${SCREENSHOTS}/${name.replace(/[^\w-]+/g, "-")}.png`, animations: "disabled" });
	}

	async accessible(page, what) {
		if (!(await page.evaluate(() => "axe" in globalThis))) await page.evaluate(axe());
		const violations = await page.evaluate(async (values) => {
			const found = await globalThis.axe.run(document, { resultTypes: ["violations"], runOnly: { type: "tag", values } });
			return found.violations.map((v) => `${v.id}: ${v.help}\n${v.nodes.map((n) => `    ${n.html.slice(0, 200)} ${n.failureSummary}`).join("\n")}`);
		}, RULES);
		assert.equal(violations.join("\n"), "", what);
	}

	/** Nothing reaches out of the screen to the side. */
	async fits(page, what) {
		const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
		assert.ok(over <= 0, `${what}: ${over} px wider than the screen`);
	}

	async picturesOfFailure() {
		let n = 0;
		for (const page of this.#contexts.flatMap((c) => c.pages())) await this.shot(page, `failed-${this.name}-${++n}`);
	}

	/** Closes everything; gives what was wrong besides. */
	async end() {
		for (const context of this.#contexts) await context.close().catch(() => {});
		return this.#faults;
	}
}
