// sync.js - keeps a store as the database is: reads what changed every few seconds, and everything when too much may have been missed. Pure.
// The channel of notifications only says when to hurry; that nothing is missed rests on this.

import { openOrders } from "./lists.js";

const EVERY_MS = 5000;
const EVERY_HIDDEN_MS = 30000;
/** A change is stamped when its request began, so the next reading begins that much before the last one. */
const BACK_MS = 60000;
/** Everything is read again after such a gap, and anyway that often. */
const GAP_MS = 60000;
const WHOLE_MS = 10 * 60000;
/** After such a gap what changed meanwhile is more than what is there. */
const LONG_MS = 12 * 3600000;
/** A reading that hangs that long does not keep the next one waiting. */
const HANGING_MS = 2000;

export class Sync {
	#turn = 0;
	#startedAt = 0;
	#isReading = false;
	#isAgain = false;
	#isWanted = true;
	#timer = 0;
	#freshTurn = 0;
	#freshSteady = 0;
	#since = null;
	#wholeAt = -Infinity;

	/** read(path) gives {value, next, headers} or throws a Problem; onTake() where a page was taken and more follow; onTurn(problem or null) after each
	 * reading; onLost(problem): the shop is not theirs. */
	constructor({
		read,
		store,
		shop,
		onTake = () => {},
		onTurn,
		onLost,
		isHidden = () => false,
		now = () => Date.now(),
		steady = () => performance.now(),
		setTimer = (f, ms) => setTimeout(f, ms),
		clearTimer = (id) => clearTimeout(id),
	}) {
		Object.assign(this, { read, store, shop, onTake, onTurn, onLost, isHidden, now, steady, setTimer, clearTimer });
		/** When what is shown was the truth last, by this device's clock; null before. */
		this.freshAt = null;
		this.isFailing = false;
		/** How far the server's clock is ahead of this device's. */
		this.skew = 0;
	}

	/** How old what is shown is, in ms; null where nothing was read yet. The clock may be set back, and the steady one may stand still in sleep. */
	age() {
		return this.freshAt === null ? null : Math.max(0, this.now() - this.freshAt, this.steady() - this.#freshSteady);
	}

	serverNow() {
		return this.now() + this.skew;
	}

	/** Read now. What is being read already is read again afterwards, or at once where it hangs. */
	hurry() {
		if (!this.#isWanted) return;
		const left = this.#startedAt + HANGING_MS - this.now();
		if (!this.#isReading || left <= 0) return void this.#go();
		if (this.#isAgain) return;
		this.#isAgain = true;
		const turn = this.#turn;
		this.setTimer(() => this.#isReading && turn === this.#turn && this.hurry(), left);
	}

	/** Something was missed that reading the changes may not bring. */
	readWhole() {
		this.#wholeAt = -Infinity;
		this.hurry();
	}

	stop() {
		this.#isWanted = false;
		this.clearTimer(this.#timer);
	}

	async #go() {
		const turn = ++this.#turn;
		this.clearTimer(this.#timer);
		this.#startedAt = this.now();
		this.#isReading = true;
		this.#isAgain = false;
		let problem = null;
		try {
			await this.#readAll(turn);
		} catch (p) {
			problem = p;
		}
		// A later turn has overtaken this one, which hung: its answers were taken, its end is nobody's business.
		if (turn !== this.#turn || !this.#isWanted) return;
		this.#isReading = false;
		this.isFailing = problem !== null;
		if (problem && !problem.isPassing && (problem.status === 403 || problem.status === 404)) {
			this.stop();
			return this.onLost(problem);
		}
		const pause = Math.max(this.isHidden() ? EVERY_HIDDEN_MS : EVERY_MS, (problem?.wait ?? 0) * 1000);
		this.#timer = this.setTimer(() => this.#go(), this.#isAgain ? 0 : pause);
		this.onTurn(problem);
	}

	async #readAll(turn) {
		const [startedAt, steady] = [this.now(), this.steady()];
		const gap = this.age() ?? Infinity;
		if (this.#since !== null && gap <= LONG_MS) await this.#readChanges();
		if (gap > GAP_MS || startedAt - this.#wholeAt > WHOLE_MS) {
			await this.#readOpen();
			this.#wholeAt = startedAt;
		}
		if (turn > this.#freshTurn) [this.freshAt, this.#freshSteady, this.#freshTurn] = [startedAt, steady, turn];
		await this.#readPromises();
	}

	async #readChanges() {
		const asked = this.store.tick();
		await this.#pages(`/orders/shop/${this.shop}?updated_since=${new Date(this.#since).toISOString()}&limit=200`, (page) =>
			this.store.take(page, asked),
		);
	}

	/** All that is open, and what was finished lately. What was open here and isn't in the list is asked for by itself. */
	async #readOpen() {
		const asked = this.store.tick();
		const ids = [];
		await this.#pages(openOrders(this.shop), (page) => {
			this.store.take(page, asked);
			ids.push(...page.map((order) => order.id));
		});
		for (const id of this.store.vanished(ids, asked)) await this.readOne(id);
		const lately = new Date(this.serverNow() - LONG_MS).toISOString();
		const finishedAsked = this.store.tick();
		const { value } = await this.read(`/orders/shop/${this.shop}?status=picked_up&status=cancelled&updated_since=${lately}&limit=100`);
		this.store.take(value, finishedAsked);
		this.store.settle(asked);
	}

	/** One order as it is now; throws where that can't be told. */
	async readOne(id) {
		const asked = this.store.tick();
		try {
			this.store.take([(await this.read(`/orders/${id}`)).value], asked);
		} catch (problem) {
			if (problem.status !== 404 || problem.isPassing) throw problem;
			this.store.forget(id);
		}
	}

	/** The first page's time is where the next reading of changes begins. */
	async #pages(path, take) {
		let since = null;
		for (let next = path; next;) {
			const sentAt = this.now();
			const answer = await this.read(next);
			since ??= this.#clockOf(answer, sentAt);
			take(answer.value);
			this.onTake();
			next = answer.next;
		}
		this.#since = since - BACK_MS;
	}

	/** The server's time in whole seconds; where nothing tells it, this device's, as far as it is known to be wrong. */
	#clockOf(answer, sentAt) {
		const told = Date.parse(answer.headers.get("Date") ?? "");
		if (Number.isNaN(told)) return sentAt + this.skew;
		const skew = told + 500 - (sentAt + this.now()) / 2;
		if (Math.abs(skew - this.skew) > 2000) this.skew = Math.round(skew);
		return told;
	}

	/** When an estimate was given is in the history alone, where the change that gave it was not seen here. Of no weight: the next turn tries again. */
	async #readPromises() {
		for (const id of this.store.unpromised().slice(0, 20)) {
			try {
				this.store.takeHistory(id, (await this.read(`/orders/${id}/history`)).value);
			} catch {
				return;
			}
		}
	}
}
