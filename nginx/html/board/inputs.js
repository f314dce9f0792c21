// inputs.js - what somebody types, as values, and how taps are told from the second half of a double tap. Pure.

/** "342,50" or "342.5" as a number; null where it is no amount that an order may have. */
export function priceOf(text) {
	const plain = text.trim().replace(",", ".");
	return /^\d{1,8}(\.\d{1,2})?$/.test(plain) ? Number(plain) : null;
}

/** null where it is no estimate that an order may have. */
export function minutesOf(text) {
	const plain = text.trim();
	const minutes = /^\d{1,4}$/.test(plain) ? Number(plain) : 0;
	return minutes >= 1 && minutes <= 1440 ? minutes : null;
}

const AFTER_TAP_MS = 700;
const AFTER_KEY_MS = 500;
const AFTER_SHIFT_MS = 400;

/** After a tap, and after cards have moved, what lies under the finger is not what was aimed at: taps rest for a moment. */
export class Guard {
	#until = 0;
	#keysUntil = 0;

	/** onRest(ms): steps take no pointer for so long. now: a clock that nobody sets. */
	constructor(onRest, now = () => performance.now()) {
		Object.assign(this, { onRest, now });
	}

	/** Whether a tap counts, of the moment when the finger was there: a slow tablet may hear of it much later. */
	allows(isByKey, at = this.now()) {
		return at >= (isByKey ? this.#keysUntil : this.#until);
	}

	/** A tap that counted: none does right after it. */
	tapped() {
		this.#until = this.now() + AFTER_TAP_MS;
		this.#keysUntil = this.now() + AFTER_KEY_MS;
		this.onRest(AFTER_TAP_MS);
	}

	/** Cards have moved: keys stay with what has the focus, fingers don't. */
	shifted() {
		this.#until = Math.max(this.#until, this.now() + AFTER_SHIFT_MS);
		this.onRest(this.#until - this.now());
	}
}
