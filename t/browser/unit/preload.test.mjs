// What the first view is made of is named in its HTML, so that no part of it waits for another one to be read: all of it, and nothing that can wait.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import test from "node:test";
import { html } from "./load.mjs";

const FIRST = { "board/index.html": ["board/desk.js", "board/view.js"], "order/index.html": [] };

/** A module with all that it imports, and so on. */
function withImports(file, found = new Set()) {
	if (found.has(file)) return found;
	found.add(file);
	for (const [, path] of readFileSync(join(html, file), "utf8").matchAll(/^(?:import|export)\b[^;]*?\bfrom "([^"]+)";/gm)) withImports(join(dirname(file), path), found);
	return found;
}

for (const [page, more] of Object.entries(FIRST)) {
	test(`${page} names its modules`, () => {
		const text = readFileSync(join(html, page), "utf8");
		const at = (pattern) => [...text.matchAll(pattern)].map(([, path]) => join(dirname(page), path));
		const scripts = at(/<script type="module" src="([^"]+)"/g);
		const preloads = at(/<link rel="modulepreload" href="([^"]+)">/g);
		const wanted = new Set();
		for (const file of [...scripts, ...more]) withImports(file, wanted);
		assert.deepEqual([...scripts, ...preloads].sort(), [...wanted].sort());
		for (const file of wanted) assert.ok(existsSync(join(html, file)), file);
	});
}
