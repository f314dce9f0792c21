// early.js - what a page needs first is on its way before the page itself is. Imports nothing, and is small, so that it runs as soon as it is there.

export const BASE = "/api/v1";
/** How each request is made. */
export const HOW = { cache: "no-store", redirect: "error", credentials: "omit" };
export const PATIENCE_MS = 15000;
export const LANGUAGES = { en: "English", de: "Deutsch" };
export const LANGUAGE_KEY = "pickup.language";

/** What was asked for, by path, until api.js takes it: {token, answer, at}. */
export const asked = new Map();

/** AbortSignal.timeout, which the browsers of older tablets have not. */
export function timeout(ms) {
	if (AbortSignal.timeout) return AbortSignal.timeout(ms);
	const controller = new AbortController();
	setTimeout(() => controller.abort(), ms);
	return controller.signal;
}

/** A GET as whoever has that token. Gives when it is answered; never rejects. */
export function ask(path, token) {
	const headers = token ? { Authorization: `Bearer ${token}` } : {};
	const answer = fetch(BASE + path, { ...HOW, headers, signal: timeout(PATIENCE_MS) }).catch(() => null);
	asked.set(path, { token, answer, at: performance.now() });
	return answer;
}

/** What the browser keeps under that name; null also where it keeps nothing. */
export function kept(name) {
	try {
		return localStorage.getItem(name);
	} catch {
		return null;
	}
}

/** Who is signed in, as kept under that name, or null. */
export function whoIs(name) {
	try {
		const who = JSON.parse(kept(name));
		return typeof who?.access_token === "string" ? who : null;
	} catch {
		return null;
	}
}

/** The chosen language, or the browser's, or English. */
export const language = () => [kept(LANGUAGE_KEY), ...navigator.languages.map((l) => l.slice(0, 2))].find((l) => Object.hasOwn(LANGUAGES, l)) ?? "en";
/** Fetched once for each n, however often they are asked for: a browser may keep that it could not have them. */
export const wordsOf = (l, n = 0) => import(`../words/${l}.js${n ? `?${n}` : ""}`);
