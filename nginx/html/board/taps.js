// taps.js - changes that somebody asked for, each until it has an answer. Pure: whatever touches the world comes through the constructor.
// A change without an answer may have happened or not: the same request goes again until it is answered. With If-Match that can do no harm.

const PAUSE_MIN_MS = 1000;
const PAUSE_MAX_MS = 15000;
/** A try that hangs that long does not keep the next one waiting when the network comes back. */
const HANGING_MS = 3000;

export class Taps {
	#waiting = new Map();
	#isHeld = false;

	/** send(tap) gives the answer's value or throws a Problem; save(list) keeps the list over a reload; onChange() when something is to be drawn anew;
	 * onEnd(tap, {value} or {problem}) when there is an answer, also to a change that was discarded meanwhile. */
	constructor({
		send,
		save = () => {},
		onChange = () => {},
		onEnd = () => {},
		now = () => Date.now(),
		setTimer = (f, ms) => setTimeout(f, ms),
		clearTimer = (id) => clearTimeout(id),
	}) {
		Object.assign(this, { send, save, onChange, onEnd, now, setTimer, clearTimer });
	}

	/** tap: {key, path, json, etag?, goal?}. False where one of that key has no answer yet: the second of a double tap, mostly. */
	add(tap) {
		if (this.#waiting.has(tap.key)) return false;
		this.#put({ ...tap, at: this.now() });
		this.#save();
		this.#try(tap.key);
		return true;
	}

	/** What save() was given before a reload; gives how many of them are older than maxAge ms: they are dropped, nobody may want them any more. */
	restore(kept, maxAge) {
		const list = kept.filter((tap) => tap?.key && tap.path && tap.json && tap.at);
		const young = list.filter((tap) => this.now() - tap.at <= maxAge && !this.#waiting.has(tap.key));
		for (const tap of young) this.#put(tap);
		this.#save();
		for (const tap of young) this.#try(tap.key);
		return list.length - young.length;
	}

	/** {isUnsaved, json, …} of what waits under that key: unsaved where a try went without an answer. */
	of(key) {
		const one = this.#waiting.get(key);
		return one && { ...one.tap, isUnsaved: one.tries > 0 };
	}

	get size() {
		return this.#waiting.size;
	}

	discard(key) {
		const one = this.#waiting.get(key);
		if (!one) return;
		this.clearTimer(one.timer);
		this.#waiting.delete(key);
		this.#save();
		this.onChange();
	}

	/** The network or somebody is back: try now what waits. */
	hurry() {
		const now = this.now();
		for (const [key, one] of this.#waiting) {
			if (now >= one.notBefore && (!one.sentAt || now - one.sentAt > HANGING_MS)) this.#try(key);
		}
	}

	/** Nothing is sent any more; what is kept by save() stays kept. */
	stop() {
		this.#isHeld = true;
		for (const one of this.#waiting.values()) this.clearTimer(one.timer);
	}

	#put(tap) {
		this.#waiting.set(tap.key, { tap, tries: 0, attempt: 0, sentAt: 0, notBefore: 0, timer: 0 });
	}

	#save() {
		this.save([...this.#waiting.values()].map((one) => one.tap));
	}

	async #try(key) {
		const one = this.#waiting.get(key);
		if (!one || this.#isHeld) return;
		this.clearTimer(one.timer);
		const attempt = ++one.attempt;
		one.sentAt = this.now();
		this.onChange();
		try {
			const value = await this.send(one.tap);
			this.#end(one, { value });
		} catch (problem) {
			// A token that counts no more says nothing about the change: whoever signs in next may go on with it.
			if (problem.isPassing || problem.status === 401) this.#unanswered(one, attempt, problem);
			else this.#end(one, { problem });
		}
	}

	#unanswered(one, attempt, problem) {
		if (this.#waiting.get(one.tap.key) !== one || one.attempt !== attempt) return;
		one.sentAt = 0;
		const pause = Math.max(Math.min(PAUSE_MAX_MS, PAUSE_MIN_MS * 2 ** one.tries++), problem.status === 429 ? (problem.wait ?? 0) * 1000 : 0);
		if (problem.status === 429) one.notBefore = this.now() + pause;
		if (!this.#isHeld) one.timer = this.setTimer(() => this.#try(one.tap.key), pause);
		this.onChange();
	}

	#end(one, result) {
		const isWaiting = this.#waiting.get(one.tap.key) === one;
		if (!isWaiting && result.problem) return;
		if (isWaiting) {
			this.clearTimer(one.timer);
			this.#waiting.delete(one.tap.key);
			if (!this.#isHeld) this.#save();
		}
		this.onEnd(one.tap, result);
		this.onChange();
	}
}
