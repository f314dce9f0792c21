// The words: both languages have all of them, with the same values, and every name that the pages use is there.
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import test from "node:test";

import { load } from "./load.mjs";

const HTML = new URL("../../../nginx/html/", import.meta.url);
const en = (await load("words/en.js")).default;
const de = (await load("words/de.js")).default;
const texts = (word) => (typeof word === "string" ? [word] : Object.values(word));
const values = (word) => [...new Set(texts(word).join(" ").match(/\{\w+\}/g) ?? [])].sort();

test("both have the same names, and nothing is empty", () => {
	assert.deepEqual(Object.keys(de).sort(), Object.keys(en).sort());
	for (const words of [en, de]) for (const [name, word] of Object.entries(words)) for (const text of texts(word)) assert.ok(text.trim(), name);
});

test("both take the same values", () => {
	for (const name of Object.keys(en)) {
		assert.deepEqual(values(de[name]), values(en[name]), name);
		assert.equal(typeof de[name], typeof en[name], name);
		if (typeof en[name] === "object") assert.deepEqual([Object.keys(en[name]), Object.keys(de[name])], [["one", "other"], ["one", "other"]], name);
	}
});

test("each name that a page uses is there", () => {
	for (const folder of ["lib", "board", "order"]) {
		let files = [];
		try {
			files = readdirSync(new URL(folder, HTML));
		} catch {
			continue;
		}
		for (const file of files.filter((f) => /\.(js|html)$/.test(f))) {
			const text = readFileSync(new URL(`${folder}/${file}`, HTML), "utf8");
			for (const [, name] of text.matchAll(/["`]((?:board|common|order|problem)\.[a-z_.]+)["`]/g)) {
				if (/\.(css|js)$/.test(name)) continue;
				assert.ok(name in en, `${folder}/${file}: ${name}`);
			}
		}
	}
});

test("a browser that keeps nothing, or nonsense, is spoken to in its own language", async () => {
	const element = { lang: "" };
	Object.assign(globalThis, { document: { documentElement: element, querySelectorAll: () => [] } });
	Object.defineProperty(globalThis, "navigator", { value: { languages: ["de-CH"] }, configurable: true });
	const page = await load("lib/words.js");
	const storages = [() => ({ getItem: () => "toString" }), () => ({ getItem: () => "xx" }), () => { throw new DOMException("no", "SecurityError"); }];
	for (const get of storages) {
		Object.defineProperty(globalThis, "localStorage", { get, configurable: true });
		await page.load();
		assert.deepEqual([page.current(), element.lang, page.t("common.pending")], ["de", "de", de["common.pending"]]);
	}
});

test("money and times are written as where the reader is, whatever the page's language", async () => {
	Object.defineProperty(globalThis, "localStorage", { value: { getItem: () => null }, configurable: true });
	const page = await load("lib/words.js");
	const at = new Date("2030-02-26T17:05:00Z");
	const cases = [
		[["en-US"], "en-US"], [["en-IN", "en"], "en-IN"], [["fr-FR", "en-GB"], "en-GB"], [["de-CH"], "de-CH"], [["fr"], "en"], [["en_US.UTF-8"], "en"],
	];
	for (const [languages, locale] of cases) {
		Object.defineProperty(globalThis, "navigator", { value: { languages }, configurable: true });
		await page.load();
		assert.equal(page.money(100000, "INR"), new Intl.NumberFormat(locale, { style: "currency", currency: "INR" }).format(100000), `${languages}`);
		const clock = { hour: "numeric", minute: "2-digit", timeZone: "UTC" };
		assert.equal(page.clock(at, "UTC"), new Intl.DateTimeFormat(locale, clock).format(at), `${languages}`);
	}
	assert.notEqual(new Intl.NumberFormat("en-IN").format(100000), new Intl.NumberFormat("en").format(100000));
});
