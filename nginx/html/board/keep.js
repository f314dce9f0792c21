// keep.js - what this page keeps in the browser, by name. A browser that keeps nothing (full, forbidden), or something else, is as one that has just been opened.

const PREFIX = "pickup.board.";

export function kept(name, otherwise = null) {
	try {
		return JSON.parse(localStorage.getItem(PREFIX + name)) ?? otherwise;
	} catch {
		return otherwise;
	}
}

export function keptList(name, otherwise = []) {
	const value = kept(name);
	return Array.isArray(value) ? value : otherwise;
}

export function keep(name, value) {
	try {
		localStorage.setItem(PREFIX + name, JSON.stringify(value));
	} catch {
		// Then it lasts as long as the page.
	}
}

/** What each setting may be. */
const FITS = {
	paper: (value) => value === 58 || value === 80,
	volume: (value) => value >= 10 && value <= 100,
	minutes: (value) => Number.isInteger(value) && value >= 1 && value <= 1440,
};

const fitting = Object.entries(kept("settings") ?? {}).filter(([name, value]) => FITS[name]?.(value));
/** How the page is set on this device. */
export const settings = { paper: 58, volume: 80, ...Object.fromEntries(fitting) };

export function set(name, value) {
	settings[name] = value;
	keep("settings", settings);
}
