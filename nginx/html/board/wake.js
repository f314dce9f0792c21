// wake.js - keeps the screen awake while the board is shown. The browser lets go of it whenever the page is hidden, and when it wants to save the battery.

const AGAIN_MS = 5000;

/** Event "state". isAwake: whether the screen stays on. */
export class Wake extends EventTarget {
	#lock = null;
	#isWanted = false;
	#isAsking = false;
	#timer = 0;

	constructor() {
		super();
		document.addEventListener("visibilitychange", () => this.#ask());
	}

	get isAwake() {
		return this.#lock !== null;
	}

	start() {
		this.#isWanted = true;
		this.#ask();
	}

	stop() {
		this.#isWanted = false;
		this.#lock?.release();
	}

	async #ask() {
		clearTimeout(this.#timer);
		if (!this.#isWanted || this.#lock || this.#isAsking || document.hidden || !navigator.wakeLock) return;
		this.#isAsking = true;
		try {
			this.#take(await navigator.wakeLock.request("screen"));
		} catch {
			// Low battery, mostly. The page says that the screen may sleep; there may be power soon.
			this.#again();
		}
		this.#isAsking = false;
		this.dispatchEvent(new Event("state"));
	}

	#take(lock) {
		this.#lock = lock;
		lock.addEventListener("release", () => {
			this.#lock = null;
			this.#again();
			this.dispatchEvent(new Event("state"));
		});
		if (!this.#isWanted) lock.release();
	}

	#again() {
		clearTimeout(this.#timer);
		if (this.#isWanted) this.#timer = setTimeout(() => this.#ask(), AGAIN_MS);
	}
}
