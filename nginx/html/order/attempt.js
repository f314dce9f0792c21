// attempt.js - placing a basket so that it is ordered once, whatever gets lost: a second tap, a reload, an answer. Pure but for what it is given.
//
// A basket has one key until its order is known. The server remembers orders by key and body, and no refusals: so a basket that was
// refused and changed goes on under its key, and should an earlier try have got through after all (its answer lost, its request late), the server says
// that the key is used: then the earlier bodies are sent again, one of which gives the order. A key is given up for a new one only when its order is
// known, when no body of ours has it, or when it is so old that the server may have forgotten it.
//
// What is kept: {key, at, sentAt, bodies: [text, …] (the last is the latest), isOpen: whether one may have been ordered without our knowing, isHeld:
// somebody said that it shall not be sent again by itself}; at is when the key was made.

const KEY_HOURS = 20;
const BODIES_MAX = 20;
const FRESH_MS = 600000;

/** Refusals with these were judged by the program, and nothing was ordered. Whatever else fails leaves open whether it was. */
const REFUSED = new Set([400, 403, 404, 405, 409, 410, 412, 413, 415, 422]);

/** "unknown": it may have been ordered. "sign_in", "reused", "refused": it was not, by this request. */
export function meaning(problem) {
	if (problem.status === 401 && problem.code === "unauthorized") return "sign_in";
	if (problem.code === "idempotency_key_reused") return "reused";
	return REFUSED.has(problem.status) && problem.code !== "unknown" ? "refused" : "unknown";
}

const isKept = (kept) => typeof kept?.key === "string" && Array.isArray(kept.bodies) && kept.bodies.length > 0;
const isAlive = (kept, now) => isKept(kept) && Math.abs(now - kept.at) < KEY_HOURS * 3600000;

/** What became of an earlier try: "none" that counts; "fresh": to be sent again by itself; "old": only if its customer says so. */
export function pending(kept, now) {
	if (!isAlive(kept, now) || !kept.isOpen) return "none";
	return !kept.isHeld && Math.abs(now - kept.sentAt) < FRESH_MS ? "fresh" : "old";
}

/** The body that may have been ordered. */
export const latest = (kept) => JSON.parse(kept.bodies.at(-1));

/** Whether the server may have forgotten what was placed under the key: then the basket needs another one. */
export const isForgotten = (kept, key, now) => isKept(kept) && kept.key === key && !isAlive(kept, now);

/** What is kept from the moment before that body is sent. key is the basket's; one under which something may have been ordered already goes before. */
export function begin(kept, body, now, key) {
	const text = JSON.stringify(body);
	if (!isAlive(kept, now)) return { key, at: now, sentAt: now, bodies: [text], isOpen: true, isHeld: false };
	return { ...kept, sentAt: now, bodies: [...kept.bodies.filter((b) => b !== text).slice(1 - BODIES_MAX), text], isOpen: true, isHeld: false };
}

/** Places the body of the basket with that key, trying again until there is an answer.
 * send(text, key) gives the order or throws a Problem. kept() is what is kept, keep(attempt or null) keeps it. pause(problem, failures) waits before the
 * next try and gives false to stop. Gives {order, isEarlier} (isEarlier: it is of an earlier body, the present one was not ordered), {refusal: Problem},
 * {isSignedOut: true}, {isLost: true} (the key was used for something that nobody here knows) or {isStopped: true} (nothing is known yet; what is kept
 * says so). */
export async function place(body, key, { send, kept, keep, pause, now = Date.now }) {
	const before = kept();
	const wasOpen = pending(before, now()) !== "none";
	const attempt = begin(before, body, now(), key);
	keep(attempt);
	let answer = await insist(attempt.bodies.at(-1), attempt.key, send, pause);
	if (answer.isReused) answer = await findEarlier(attempt, send, pause);
	// Another tab may have come to an end with this key meanwhile.
	if (kept()?.key === attempt.key) keep(outcome(attempt, answer, wasOpen));
	return answer;
}

/** What is kept after that answer. */
function outcome(attempt, { order, isLost, refusal, isSignedOut, isStopped, failures }, wasOpen) {
	if (order || isLost) return null;
	if (refusal) return { ...attempt, isOpen: false };
	return { ...attempt, isHeld: Boolean(isStopped), isOpen: !isSignedOut || wasOpen || failures > 0 };
}

/** One body until it has an answer. */
async function insist(text, key, send, pause) {
	for (let failures = 0; ; ) {
		try {
			return { order: await send(text, key), isEarlier: false };
		} catch (problem) {
			if (typeof problem?.status !== "number") throw problem;
			const what = meaning(problem);
			if (what === "reused") return { isReused: true };
			if (what === "refused") return { refusal: problem };
			if (what === "sign_in") return { isSignedOut: true, failures };
			if ((await pause(problem, ++failures)) === false) return { isStopped: true };
		}
	}
}

/** Which of the bodies of before was ordered under this key. */
async function findEarlier(attempt, send, pause) {
	for (const text of attempt.bodies.slice(0, -1).reverse()) {
		const answer = await insist(text, attempt.key, send, pause);
		if (answer.isSignedOut) return { ...answer, failures: 1 };
		if (answer.isStopped) return answer;
		if (answer.order) return { ...answer, isEarlier: true };
	}
	return { isLost: true };
}
