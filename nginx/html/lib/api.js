// api.js - the public API, as a page uses it: who is signed in, requests, problems, pages of lists, photos.

import { asked, BASE, HOW, PATIENCE_MS, timeout, whoIs } from "./early.js";

/** What was asked for early and is taken later than this is asked for again. */
const FRESH_MS = 10000;

/** What a request ended with that did not succeed: status 0 where no answer came, else the problem's members (code, detail, errors, alternatives, …). */
export class Problem extends Error {
	constructor(status, members = {}, wait = 0) {
		super(members.detail ?? members.title ?? "");
		this.status = status;
		/** Seconds to wait before the next try, where the server says so. */
		this.wait = wait;
		this.code = members.code ?? (status ? "unknown" : "offline");
		this.members = members;
	}
	/** Whether it is worth trying again as it was. An answer without a code is not the program's: a network's own log-in page, or a proxy's. */
	get isPassing() {
		return this.code === "unknown" || this.status === 0 || this.status === 429 || this.status >= 500;
	}
}

/** Who is signed in on this page, kept under that name in the browser. */
export class Session extends EventTarget {
	constructor(name) {
		super();
		this.name = name;
		this.who = whoIs(this.name);
		addEventListener("storage", (event) => {
			if (event.key !== name && event.key !== null) return;
			this.who = whoIs(this.name);
			this.dispatchEvent(new Event("change"));
		});
	}
	get token() {
		return this.who?.access_token;
	}
	#set(who) {
		this.who = who;
		try {
			if (who) localStorage.setItem(this.name, JSON.stringify(who));
			else localStorage.removeItem(this.name);
		} catch {
			// A browser that keeps nothing (full, forbidden): for as long as the page is open.
		}
		this.dispatchEvent(new Event("change"));
	}
	async signIn(phone_number, password) {
		const { value } = await request("POST", "/auth/login", { json: { phone_number, password } });
		this.#set({ ...value, phone_number, ends_at: Date.now() + value.expires_in * 1000 });
	}
	async register(account) {
		await request("POST", "/auth/register", { json: account });
		await this.signIn(account.phone_number, account.password);
	}
	signOut() {
		this.#set(null);
	}
	/** The token counts no more. Another window may have signed in anew meanwhile. */
	#isRefused() {
		const stored = whoIs(this.name);
		if (stored && stored.access_token !== this.token) this.who = stored;
		else this.signOut();
	}
	/** A request as whoever is signed in; a token that counts no more signs out. */
	async call(method, path, options = {}) {
		const token = this.token;
		try {
			return await request(method, path, { ...options, token });
		} catch (problem) {
			if (problem.status === 401 && !problem.isPassing && token === this.token) this.#isRefused();
			throw problem;
		}
	}
	async get(path) {
		return (await this.call("GET", path)).value;
	}
	/** A list with all its pages, up to so many of them. */
	async all(path, pages = 20) {
		const found = [];
		for (let next = path; next && pages-- > 0; ) {
			const answer = await this.call("GET", next);
			found.push(...answer.value);
			next = answer.next;
		}
		return found;
	}
	/** A photo as an address for <img>; only its people are given it, so the browser can't fetch it by itself. Revoke it when it is shown no more. */
	async photo(path) {
		const answer = await this.call("GET", path.replace(BASE, ""), { isBlob: true });
		return URL.createObjectURL(answer.value);
	}
}

function nextOf(link) {
	const found = /<([^>]*)>\s*;\s*rel="?next"?/.exec(link ?? "");
	return found && new URL(found[1], location.href).href.replace(location.origin + BASE, "");
}

/** The answer to what was asked for early with that token, or null; each is given once. */
async function take(path, token) {
	const early = asked.get(path);
	if (!early || early.token !== token) return null;
	asked.delete(path);
	return performance.now() - early.at < FRESH_MS ? early.answer : null;
}

/** {value, status, headers, next}: value is the JSON, next the path of the next page. Throws a Problem. options: json, body (sent as it is), headers, token, isBlob,
 * patience (milliseconds). */
export async function request(method, path, { json, body, headers = {}, token, isBlob, patience = PATIENCE_MS } = {}) {
	const all = { ...headers };
	if (token) all.Authorization = `Bearer ${token}`;
	if (json !== undefined) all["Content-Type"] = "application/json";
	let answer, value;
	try {
		answer = (method === "GET" && (await take(path, token))) ||
			(await fetch(BASE + path, { ...HOW, method, headers: all, body: json === undefined ? body : JSON.stringify(json), signal: timeout(patience) }));
		if (isBlob && answer.ok) value = await answer.blob();
		else value = answer.status === 204 ? null : await answer.json();
	} catch {
		throw new Problem(answer && !answer.ok ? answer.status : 0);
	}
	if (!answer.ok) throw new Problem(answer.status, value ?? {}, Number(answer.headers.get("Retry-After")) || 0);
	return { value, status: answer.status, headers: answer.headers, next: nextOf(answer.headers.get("Link")) };
}
