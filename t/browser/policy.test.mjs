// That the policy of the pages holds in a browser, whatever a script of theirs would try.
import assert from "node:assert/strict";
import { test } from "./lib/test.mjs";

const PLACE = "/board/";

/** Opens the document; what it says of violations is what is wanted. */
async function opened(scene) {
	scene.allow(/./);
	const page = await scene.open(PLACE);
	await page.evaluate(() => {
		globalThis.violated = [];
		document.addEventListener("securitypolicyviolation", (e) => globalThis.violated.push(e.effectiveDirective));
	});
	return page;
}

const violated = (page) => page.waitForFunction(() => globalThis.violated.length && globalThis.violated).then((found) => found.jsonValue());

test("policy: text is never made HTML", async (scene) => {
	const page = await opened(scene);
	const error = await page.evaluate(() => {
		try {
			document.body.innerHTML = "<img src=x onerror=\"globalThis.hacked = 1\">";
			return null;
		} catch (e) {
			return e.name;
		}
	});
	assert.equal(error, "TypeError");
	assert.equal(await page.evaluate(() => document.querySelector("img")), null);
});

const TRIES = {
	"a script within HTML": ["script-src-elem", (d) => d.head.append(Object.assign(d.createElement("script"), { src: "data:text/javascript,globalThis.hacked=1" }))],
	"a listener within HTML": ["script-src-attr", (d) => d.body.setAttribute("onclick", "globalThis.hacked = 1")],
	"a style within HTML": ["style-src-elem", (d) => d.head.append(Object.assign(d.createElement("style"), { textContent: "body { color: red }" }))],
	"a style attribute within HTML": ["style-src-attr", (d) => d.body.setAttribute("style", "color: red")],
	"a picture of another host": ["img-src", (d) => d.body.append(Object.assign(d.createElement("img"), { src: "http://127.0.0.2:9/x.png" }))],
	"a request to another host": ["connect-src", () => fetch("http://127.0.0.2:9/").catch(() => {})],
	"a frame": ["frame-src", (d) => d.body.append(Object.assign(d.createElement("iframe"), { src: "/order/" }))],
};

for (const [what, [directive, attempt]] of Object.entries(TRIES)) {
	test(`policy: no ${what}`, async (scene) => {
		const page = await opened(scene);
		await page.evaluate(`(${attempt})(document); 0`).catch(() => {});
		const found = await violated(page);
		assert.ok(found.some((d) => d === directive || d === "require-trusted-types-for"), `${found}`);
		assert.equal(await page.evaluate(() => globalThis.hacked), undefined);
	});
}
