// keep.js - what this page keeps in the browser, by name. A browser that keeps nothing (full, forbidden) is as one that has just been opened.

const PREFIX = "pickup.board.";

export function kept(name, otherwise = null) {
	try {
		return JSON.parse(localStorage.getItem(PREFIX + name)) ?? otherwise;
	} catch {
		return otherwise;
	}
}

export function keep(name, value) {
	try {
		localStorage.setItem(PREFIX + name, JSON.stringify(value));
	} catch {
		// Then it lasts as long as the page.
	}
}

/** How the page is set on this device. */
export const settings = { paper: 58, volume: 80, ...kept("settings", {}) };

export function set(name, value) {
	settings[name] = value;
	keep("settings", settings);
}
