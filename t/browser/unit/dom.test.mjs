// Lists that are brought up to date: what stays is left alone, so that whoever works on it goes on.
import assert from "node:assert/strict";
import test from "node:test";
import { load } from "./load.mjs";

/** As much of an element as a list needs. As in a browser, what is taken out of its place loses the focus. */
class Element {
	children = [];
	dataset = {};
	parent = null;
	moves = 0;
	get firstElementChild() {
		return this.children[0] ?? null;
	}
	get nextElementSibling() {
		return this.parent.children[this.parent.children.indexOf(this) + 1] ?? null;
	}
	remove() {
		if (!this.parent) return;
		this.parent.children.splice(this.parent.children.indexOf(this), 1);
		this.parent = null;
		if (this.contains(document.activeElement)) document.activeElement = null;
	}
	insertBefore(element, before) {
		if (element.parent) element.moves++;
		element.remove();
		this.children.splice(before ? this.children.indexOf(before) : this.children.length, 0, element);
		element.parent = this;
	}
	contains(other) {
		for (let e = other; e; e = e.parent) if (e === this) return true;
		return false;
	}
	focus() {
		document.activeElement = this;
	}
}
globalThis.document = { activeElement: null };
const { keyed } = await load("lib/dom.js");

function list(items) {
	const parent = new Element();
	const show = (those) => keyed(parent, those, (item) => item, () => new Element(), () => {});
	show(items);
	return { parent, show, of: (item) => parent.children.find((e) => e.dataset.key === String(item)), keys: () => parent.children.map((e) => e.dataset.key).join("") };
}

test("any list becomes any other", () => {
	const lists = [[], [1], [1, 2, 3], [3, 2, 1], [2, 4], [4, 5, 1, 2], [5, 1, 4, 3, 2], [2, 3, 4, 5]];
	for (const before of lists) {
		for (const after of lists) {
			const { show, keys } = list(before);
			show(after);
			assert.equal(keys(), after.join(""), `${before} to ${after}`);
		}
	}
});

test("what goes and what comes moves nothing else", () => {
	const { parent, show } = list([1, 2, 3, 4, 5]);
	show([2, 3, 5]);
	show([0, 2, 3, 4, 5, 6]);
	assert.deepEqual(parent.children.map((e) => e.moves), [0, 0, 0, 0, 0, 0]);
});

test("the focus stays with what has it, also where that is moved", () => {
	const { show, of } = list([1, 2, 3, 4]);
	const button = new Element();
	of(3).insertBefore(button, null);
	button.focus();
	for (const items of [[2, 3, 4], [4, 3, 2], [3, 2], [1, 2, 3]]) {
		show(items);
		assert.equal(document.activeElement, button, `${items}`);
	}
	show([1, 2]);
	assert.equal(document.activeElement, null);
});
