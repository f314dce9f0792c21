// photos.js - photos of shopping lists as addresses for <img>. Only the shop's people are given them, so the browser can't fetch them by itself.

const KEPT_MAX = 60;

export class Photos {
	#known = new Map();
	#line = Promise.resolve();

	constructor(session) {
		this.session = session;
	}

	/** The address of that photo; one at a time is fetched. Rejects where it can't be had now; ask again then. */
	get(path) {
		let one = this.#known.get(path);
		if (!one) {
			one = this.#line.then(() => this.session.photo(path));
			this.#line = one.catch(() => {});
			this.#known.set(path, one);
			one.catch(() => this.#known.delete(path));
			this.#forgetOldest();
		}
		return one;
	}

	clear() {
		for (const path of [...this.#known.keys()]) this.#forget(path);
	}

	#forgetOldest() {
		if (this.#known.size > KEPT_MAX) this.#forget(this.#known.keys().next().value);
	}

	#forget(path) {
		this.#known.get(path).then(
			(address) => URL.revokeObjectURL(address),
			() => {},
		);
		this.#known.delete(path);
	}
}
