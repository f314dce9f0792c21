// store.js - what the board knows of a shop's orders, and which of it is to be drawn. Pure: no document, no network, no clock of its own.
// Owns: which version of an order counts, which orders nobody has touched, when each is due. Does not own: reading (sync.js), changes (taps.js).

import { OPEN } from "./lists.js";

const FINISHED_MAX = 100;
const TOUCHED_MAX = 1000;
const STALE_MS = 20000;
/** Hidden pages ask less often, and browsers let them do so once a minute at most. */
const STALE_HIDDEN_MS = 90000;
const SOON_MS = 2 * 3600 * 1000;

const ms = (time) => (time === null || time === undefined ? null : Date.parse(time));
const isOpen = (order) => OPEN.includes(order.status);

/** Of a freshly shown shop, or of everything: no filter. */
export const NO_FILTER = Object.freeze({ type: "all", when: "any", text: "" });
export const isFiltering = (filter) => filter.type !== "all" || filter.when !== "any" || filter.text.trim() !== "";

export class Store {
	#clock = 0;
	#known = new Map();
	#announced = new Map();
	#promised = new Map();
	#touched;
	#missed = [];
	#isNewDevice;

	/** touched: the ids that saved() gave last, or null where this device has never shown the shop. */
	constructor(touched = null) {
		this.#touched = new Set(touched ?? []);
		this.#isNewDevice = !touched;
		/** Whether all that is open has been read once. */
		this.isComplete = false;
	}

	/** To be called as a request begins; goes into take() with its answer. */
	tick() {
		return ++this.#clock;
	}

	get(id) {
		return this.#known.get(id)?.order;
	}

	/** Orders as the server told them, to a question that began at tick asked. An older version counts only where it was asked for after the newer one was
	 * learned: then the database itself went back. */
	take(orders, asked) {
		for (const order of orders) {
			const known = this.#known.get(order.id);
			this.#announced.delete(order.id);
			if (known && order.version < known.order.version && asked <= known.learned) continue;
			this.#promise(order, known?.order);
			if (order.cancelled_by === "system" && this.isComplete && (!known || isOpen(known.order))) this.#missed.push(order);
			// The very same object where nothing changed: whoever draws may compare.
			const isSame = known && known.order.version === order.version && JSON.stringify(known.order) === JSON.stringify(order);
			this.#known.set(order.id, { order: isSame ? known.order : order, learned: ++this.#clock });
		}
		this.#forgetOldFinished();
	}

	/** The server knows no such order. */
	forget(id) {
		this.#known.delete(id);
		this.#announced.delete(id);
	}

	/** A notification of a new order that is not read yet. */
	announce(message) {
		if (!this.#known.has(message.order_id)) this.#announced.set(message.order_id, { message, at: ++this.#clock });
	}

	/** Orders that are open here, but not in a whole list of the open ones asked for at that tick: they must be asked for one by one. */
	vanished(ids, asked) {
		const there = new Set(ids);
		return [...this.#known.values()].filter((k) => isOpen(k.order) && k.learned < asked && !there.has(k.order.id)).map((k) => k.order.id);
	}

	/** Everything open that was there at that tick has been taken. */
	settle(asked) {
		for (const [id, { at }] of this.#announced) if (at < asked) this.#announced.delete(id);
		if (this.#isNewDevice && !this.isComplete) {
			// What confirmed itself before this device came is no news; what waits for somebody is.
			for (const { order } of this.#known.values()) if (order.status === "confirmed") this.#touched.add(order.id);
		}
		this.isComplete = true;
	}

	/** Somebody has seen these. Whether that was news. */
	touch(ids) {
		const news = ids.filter((id) => !this.#touched.has(id));
		for (const id of news) this.#touched.add(id);
		return news.length > 0;
	}

	/** Version 1 means that nobody ever changed it, on whatever device: it waits, or confirmed itself as it came. */
	isUntouched(order) {
		const isNews = order.status === "pending" || (order.status === "confirmed" && (this.isComplete || !this.#isNewDevice));
		return order.version === 1 && isNews && !this.#touched.has(order.id);
	}

	/** Orders that cancelled themselves, as nobody accepted them, since this was asked last. */
	takeMissed() {
		return this.#missed.splice(0);
	}

	/** What to keep on this device: the ids that were touched here and would ring elsewhere still. */
	saved() {
		const ids = [...this.#touched].filter((id) => {
			const order = this.get(id);
			return order ? isOpen(order) && order.version === 1 : !this.isComplete || this.#announced.has(id);
		});
		this.#touched = new Set(ids.sort((a, b) => b - a).slice(0, TOUCHED_MAX));
		return [...this.#touched];
	}

	/** The ids of all orders that ring: read or announced, untouched. */
	ringing() {
		const read = [...this.#known.values()]
			.map((k) => k.order)
			.filter((order) => this.isUntouched(order))
			.map((order) => order.id);
		return [...read, ...[...this.#announced.keys()].filter((id) => !this.#touched.has(id))];
	}

	/** Instant orders whose estimate's beginning can't be told from what was read; their history tells it. */
	unpromised() {
		return [...this.#known.values()]
			.map((k) => k.order)
			.filter((o) => this.#isPromising(o) && this.#promised.get(o.id)?.minutes !== o.estimated_preparation_minutes)
			.map((o) => o.id);
	}

	/** That order's history, as the server told it: the estimate counts from when it was set last. */
	takeHistory(id, entries) {
		const minutes = this.get(id)?.estimated_preparation_minutes;
		let at = null;
		for (const entry of entries) {
			if (entry.estimated_preparation_minutes !== minutes) at = null;
			else at ??= entry.at;
		}
		if (at) this.#promised.set(id, { minutes, at: ms(at) });
	}

	/** When it is due: {kind: "pickup" | "promise" | "accept", at}, or null where nobody said. */
	due(order) {
		if (order.status === "pending" && order.accept_by) return { kind: "accept", at: ms(order.accept_by) };
		if (order.scheduled_pickup_time) return { kind: "pickup", at: ms(order.scheduled_pickup_time) };
		const promised = this.#promised.get(order.id);
		if (promised && promised.minutes === order.estimated_preparation_minutes && isOpen(order)) {
			return { kind: "promise", at: promised.at + promised.minutes * 60000 };
		}
		return null;
	}

	isLate(order, now) {
		if (!isOpen(order) || order.status === "ready") return false;
		const due = this.due(order);
		return due !== null && now > due.at;
	}

	/** What to draw: {columns: {status: [order, …], finished: [order, …]}, announced: [message, …], hidden, ringing, waiting}: how many open ones the filter
	 * hides, the set of ids that ring, how many wait for somebody. dateOf(ms) is the shop's date. What rings is shown whatever the filter says. */
	view(now, filter, dateOf) {
		const columns = Object.fromEntries([...OPEN, "finished"].map((name) => [name, []]));
		const ringing = new Set(this.ringing());
		let hidden = 0;
		for (const { order } of this.#known.values()) {
			if (ringing.has(order.id) || this.#passes(order, filter, now, dateOf)) columns[isOpen(order) ? order.status : "finished"].push(order);
			else if (isOpen(order)) hidden++;
		}
		const urgency = new Map(
			[...this.#known.values()].map(({ order }) => [order.id, ms(order.scheduled_pickup_time) ?? this.due(order)?.at ?? ms(order.created_at)]),
		);
		for (const name of OPEN) columns[name].sort((a, b) => urgency.get(a.id) - urgency.get(b.id) || a.id - b.id);
		columns.finished.sort((a, b) => ms(b.updated_at) - ms(a.updated_at) || b.id - a.id);
		const pending = [...this.#known.values()].filter((k) => k.order.status === "pending").map((k) => k.order.id);
		const announced = [...this.#announced.values()].map((a) => a.message);
		return { columns, announced, hidden, ringing, waiting: new Set([...pending, ...ringing, ...announced.map((m) => m.order_id)]).size };
	}

	#passes(order, filter, now, dateOf) {
		if (filter.type !== "all" && order.order_type !== filter.type) return false;
		const at = ms(order.scheduled_pickup_time);
		if (at !== null && filter.when === "soon" && at > now + SOON_MS) return false;
		if (at !== null && filter.when === "today" && dateOf(at) > dateOf(now)) return false;
		const text = filter.text.trim().toLocaleLowerCase();
		const texts = [String(order.id), `#${order.id}`, order.customer_name, ...order.items.map((item) => item.product_name)];
		return text === "" || texts.some((t) => t.toLocaleLowerCase().includes(text));
	}

	#isPromising(order) {
		return (
			order.order_type === "instant" &&
			order.estimated_preparation_minutes !== null &&
			(order.status === "confirmed" || order.status === "preparing")
		);
	}

	/** The estimate counts from the change that set it. That is the one just read only where the one before it was read as well, or can't have had it. */
	#promise(order, before) {
		const minutes = order.estimated_preparation_minutes;
		const isFirst = order.version === 1 || (order.version === 2 && order.status === "confirmed" && !order.has_chitty);
		const isNext = before && before.version + 1 === order.version && before.estimated_preparation_minutes !== minutes;
		if (minutes !== null && (isFirst || isNext)) this.#promised.set(order.id, { minutes, at: ms(order.updated_at) });
	}

	#forgetOldFinished() {
		const finished = [...this.#known.values()].map((k) => k.order).filter((order) => !isOpen(order));
		finished.sort((a, b) => ms(b.updated_at) - ms(a.updated_at));
		for (const order of finished.slice(FINISHED_MAX)) this.#known.delete(order.id);
		if (this.#promised.size > this.#known.size * 2 + FINISHED_MAX) {
			for (const id of this.#promised.keys()) if (!this.#known.has(id)) this.#promised.delete(id);
		}
	}
}

/** How true what is shown is, age in ms or null where nothing was read yet: "live": told of everything at once; "polling": asking; "offline": the last
 * question went unanswered; "stale": the last answer is too old to be relied on; "connecting". */
export function liveness({ age, channel, isFailing, isHidden = false }) {
	if (age === null) return isFailing ? "offline" : "connecting";
	if (age > (isHidden ? STALE_HIDDEN_MS : STALE_MS)) return "stale";
	if (isFailing) return "offline";
	return channel === "live" ? "live" : "polling";
}
