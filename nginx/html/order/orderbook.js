// orderbook.js - the orders that this page knows, each in the latest version that it has heard of.

/** What may still change, as far as a customer waits for it. */
export const isOpen = (order) => order.status !== "picked_up" && order.status !== "cancelled";

/** Event "change": detail {order, before}; before is undefined for one that was not known. */
export class OrderBook extends EventTarget {
	#orders = new Map();

	of(id) {
		return this.#orders.get(id);
	}
	/** Newest first. */
	list() {
		return [...this.#orders.values()].sort((a, b) => b.id - a.id);
	}
	/** Answers overtake each other: an older version than the known one is dropped. */
	take(order) {
		const before = this.#orders.get(order.id);
		if (before && before.version >= order.version) return;
		this.#orders.set(order.id, order);
		this.dispatchEvent(new CustomEvent("change", { detail: { order, before } }));
	}
	clear() {
		this.#orders.clear();
	}
}

/** The steps of an order as they are shown: [{status, state: "done" | "now" | "ahead"}]. A cancelled one shows what it had come to. */
export function steps(order) {
	const all = ["pending", "confirmed", "preparing", "ready", "picked_up"];
	if (order.status === "cancelled") return [{ status: "pending", state: "done" }, { status: "cancelled", state: "now" }];
	const at = all.indexOf(order.status);
	return all.map((status, i) => ({ status, state: i < at ? "done" : i === at ? "now" : "ahead" }));
}
