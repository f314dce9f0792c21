// dom.js - elements made of data. Text is text: nothing here, and nothing that uses it, ever has HTML parsed.

/** h("button", {class: "go", onclick: f, disabled: true}, "Text", child, …): an element. A property that is false, null or undefined is left out; on… are
 * listeners; others are attributes. Children that are null or false are left out. */
export function h(name, properties = {}, ...children) {
	const element = document.createElement(name);
	for (const [key, value] of Object.entries(properties ?? {})) {
		if (value === false || value === null || value === undefined) continue;
		if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
		else if (key === "value" || key === "checked") element[key] = value;
		else element.setAttribute(key, value === true ? "" : value);
	}
	element.append(...children.flat(Infinity).filter((c) => c !== null && c !== undefined && c !== false));
	return element;
}

export const byId = (id) => document.getElementById(id);

/** Makes the children of parent those of items, in their order, with as few changes as can be: an element whose key stays is kept, and so are focus and scroll
 * position. key(item) is a string; make(item) gives an element; update(element, item) brings a kept one up to date. */
export function keyed(parent, items, key, make, update) {
	const kept = new Map([...parent.children].map((e) => [e.dataset.key, e]));
	const wanted = new Set(items.map((item) => String(key(item))));
	// What goes goes first: all behind it would have to be moved otherwise, and what is moved loses the focus.
	for (const [k, element] of kept) if (!wanted.has(k)) element.remove();
	let at = parent.firstElementChild;
	for (const item of items) {
		const k = String(key(item));
		let element = kept.get(k);
		if (element) {
			kept.delete(k);
			update(element, item);
		} else {
			element = make(item);
			element.dataset.key = k;
		}
		if (element === at) at = at.nextElementSibling;
		else move(element, parent, at);
	}
}

function move(element, parent, before) {
	const focused = element.contains(document.activeElement) ? document.activeElement : null;
	parent.insertBefore(element, before);
	focused?.focus({ preventScroll: true });
}

/** Opens a <dialog> with that content, for as long as the promise that this gives is open: done(value) closes it; Escape gives undefined. */
export function ask(label, build) {
	return new Promise((resolve) => {
		const before = document.activeElement;
		const dialog = h("dialog", { "aria-label": label });
		let answer;
		const done = (value) => {
			answer = value;
			dialog.close();
		};
		dialog.append(build(done));
		dialog.addEventListener("close", () => {
			dialog.remove();
			before?.focus?.();
			resolve(answer);
		});
		document.body.append(dialog);
		dialog.showModal();
	});
}
