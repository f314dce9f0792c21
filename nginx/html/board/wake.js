// wake.js - keeps the screen awake while the board is shown. The browser lets go of it whenever the page is hidden.

/** Event "state". isAwake: whether the screen stays on. */
export class Wake extends EventTarget {
	#lock = null;
	#isWanted = false;

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
		if (!this.#isWanted || this.#lock || document.hidden || !navigator.wakeLock) return;
		try {
			const lock = await navigator.wakeLock.request("screen");
			this.#lock = lock;
			lock.addEventListener("release", () => {
				this.#lock = null;
				this.dispatchEvent(new Event("state"));
			});
			if (!this.#isWanted) lock.release();
		} catch {
			// Low battery, mostly. The page says that the screen may sleep, and asks again when it is shown again.
		}
		this.dispatchEvent(new Event("state"));
	}
}
