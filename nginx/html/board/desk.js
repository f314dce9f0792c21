// desk.js - one shop's board at work: what is known, what is under way, what is to be told. Owns the parts' wiring; what it looks like is view.js.

import { Live } from "../lib/live.js";
import { isolated, t, tell } from "../lib/words.js";
import { keyOf } from "./card.js";
import { keep, keptList, set, settings } from "./keep.js";
import { Photos } from "./photos.js";
import { liveness, NO_FILTER, Store } from "./store.js";
import { Sync } from "./sync.js";
import { Taps } from "./taps.js";

const SHOP_EVERY_MS = 30000;
const RESTORE_MS = 10 * 60000;
const MINUTES = 20;
const SLEPT_MS = 10000;
const NOTICES_MAX = 5;

/** A zone that this browser doesn't know is shown as UTC rather than as the tablet's. */
function zoneOf(shop) {
	try {
		new Intl.DateTimeFormat("en", { timeZone: shop.timezone });
		return shop.timezone;
	} catch {
		return "UTC";
	}
}

const nameOf = (tap) => `${tap?.key} ${tap?.at}`;

/** Events: "change": draw anew; "ended": {tap, result}; "say": text for who can't see; "lost": the shop is not theirs. To be closed. */
export class Desk extends EventTarget {
	#names;
	#isDirty = false;
	#isClosed = false;
	#timers = [];
	#tickedAt = Date.now();
	/** Those taps that this window has put among what is kept. */
	#keptTaps = new Set();
	/** Counts the answered changes of the shop. */
	#shopTurn = 0;

	constructor(session, shop) {
		super();
		Object.assign(this, { session, shop, zone: zoneOf(shop), filter: { ...NO_FILTER }, notices: [] });
		this.isOwner = shop.owner_id === session.who.user_id;
		this.#names = { touched: `touched.${shop.id}`, taps: `taps.${session.who.user_id}.${shop.id}` };
		this.photos = new Photos(session);
		this.store = new Store(keptList(this.#names.touched, null));
		this.taps = new Taps({
			send: (tap) => this.#send(tap),
			save: (list) => this.#keepTaps(list),
			onChange: () => this.changed(),
			onEnd: (tap, result) => this.#ended(tap, result),
		});
		this.sync = new Sync({
			read: (path) => session.call("GET", path),
			store: this.store,
			shop: shop.id,
			isHidden: () => document.hidden,
			onTake: this.changed,
			onTurn: (problem) => this.#turned(problem),
			onLost: () => this.dispatchEvent(new Event("lost")),
		});
		this.#start();
	}

	#start() {
		this.live = new Live(this.session, "shop", this.shop.id);
		this.live.addEventListener("message", ({ detail }) => this.#heard(detail));
		this.live.addEventListener("state", () => this.#stateChanged());
		this.live.addEventListener("resync", () => this.sync.readWhole());
		for (const event of ["online", "pageshow"]) addEventListener(event, this.#back);
		addEventListener("offline", this.changed);
		addEventListener("storage", this.#touchedElsewhere);
		for (const event of ["visibilitychange", "resume"]) document.addEventListener(event, this.#back);
		this.#timers = [setInterval(this.#tick, 1000), setInterval(() => document.hidden || this.readShop(), SHOP_EVERY_MS)];
		const waiting = keptList(this.#names.taps);
		this.#keptTaps = new Set(waiting.map(nameOf));
		const dropped = this.taps.restore(waiting, RESTORE_MS);
		if (dropped) this.notify(t("board.dropped", { n: dropped }));
		this.sync.hurry();
	}

	close() {
		this.#isClosed = true;
		this.live.close();
		this.sync.stop();
		this.taps.stop();
		this.photos.clear();
		for (const event of ["online", "pageshow"]) removeEventListener(event, this.#back);
		removeEventListener("offline", this.changed);
		removeEventListener("storage", this.#touchedElsewhere);
		for (const event of ["visibilitychange", "resume"]) document.removeEventListener(event, this.#back);
		this.#timers.forEach(clearInterval);
	}

	/** Something may look different now. */
	changed = () => {
		if (this.#isDirty || this.#isClosed) return;
		this.#isDirty = true;
		queueMicrotask(() => {
			this.#isDirty = false;
			if (!this.#isClosed) this.dispatchEvent(new Event("change"));
		});
	};

	/** Somebody, or the network, is back. */
	#back = () => {
		if (!document.hidden) {
			this.sync.hurry();
			this.taps.hurry();
		}
		this.changed();
	};

	/** A second went by, or many: a machine that slept says so by nothing else. */
	#tick = () => {
		const now = Date.now();
		const slept = now - this.#tickedAt;
		this.#tickedAt = now;
		if (slept > SLEPT_MS && !document.hidden) {
			this.live.renew();
			this.#back();
		}
		this.changed();
	};

	now = () => this.sync.serverNow();

	isRinging = (order) => this.store.isUntouched(order);

	/** The estimate that one tap on "confirm" gives; a pre-order has its time already. */
	minutes = (order) =>
		order.order_type === "instant" && order.status === "pending" ? (this.shop.default_preparation_minutes ?? settings.minutes ?? MINUTES) : null;

	liveness() {
		const isFailing = this.sync.isFailing || !navigator.onLine;
		const age = this.sync.age();
		const kind = liveness({ age, channel: this.live.state, isFailing, isHidden: document.hidden });
		return { kind, age, freshAt: this.sync.freshAt === null ? null : this.now() - age };
	}

	/** Somebody has seen these; gives whether that was news. */
	touch(ids) {
		if (!this.store.touch(ids)) return false;
		this.#keepTouched();
		this.changed();
		return true;
	}

	/** Other windows of this device have taps of their own. */
	#keepTaps(list) {
		const others = keptList(this.#names.taps).filter((tap) => !this.#keptTaps.has(nameOf(tap)));
		this.#keptTaps = new Set(list.map(nameOf));
		keep(this.#names.taps, [...others, ...list]);
	}

	/** What another window of this device has touched is touched. */
	#touchedElsewhere = () => {
		if (this.store.touch(keptList(this.#names.touched))) this.changed();
	};

	#keepTouched() {
		const stored = keptList(this.#names.touched);
		this.store.touch(stored);
		const ids = this.store.saved();
		if (this.store.isComplete && ids.join() !== stored.join()) keep(this.#names.touched, ids);
	}

	/** Changes the order from the version that was shown. */
	step(order, json) {
		this.touch([order.id]);
		if (order.order_type === "instant" && json.estimated_preparation_minutes) set("minutes", json.estimated_preparation_minutes);
		this.taps.add({ key: keyOf(order.id), path: `/orders/${order.id}`, json, etag: `"${order.id}-${order.version}"` });
	}

	/** What was wanted before and is not saved yet is still wanted, but for what is wanted otherwise now. */
	changeShop(json) {
		const unsaved = this.taps.of("shop")?.json;
		this.taps.discard("shop");
		this.taps.add({ key: "shop", path: `/shops/${this.shop.id}`, json: { ...unsaved, ...json } });
	}

	discard(order) {
		this.taps.discard(keyOf(order.id));
		this.sync.hurry();
	}

	notify(text) {
		this.notices = [...this.notices, { key: String(Math.random()), text }].slice(-NOTICES_MAX);
		this.say(text);
		this.changed();
	}

	say(text) {
		this.dispatchEvent(new CustomEvent("say", { detail: text }));
	}

	async readShop() {
		const turn = this.#shopTurn;
		try {
			const shop = await this.session.get(`/shops/${this.shop.id}`);
			// A change was answered meanwhile: what was read may be of before it.
			if (turn !== this.#shopTurn) return;
			this.shop = shop;
			this.zone = zoneOf(this.shop);
			this.changed();
		} catch {
			// Its orders' reading says it where there is no connection.
		}
	}

	async #send(tap) {
		const asked = this.store.tick();
		const { value } = await this.session.call("PATCH", tap.path, { json: tap.json, headers: tap.etag ? { "If-Match": tap.etag } : {} });
		if (tap.key.startsWith("order:")) this.store.take([value], asked);
		return value;
	}

	#ended(tap, result) {
		if (this.#isClosed) return;
		if (tap.key.startsWith("order:")) this.#orderEnded(tap, result);
		else this.#ownerEnded(tap, result);
		this.dispatchEvent(new CustomEvent("ended", { detail: { tap, result } }));
	}

	/** Only the owner may. Who turns out to be none is shown no such buttons any more. */
	#ownerEnded(tap, { value, problem }) {
		if (tap.key === "shop" && value) {
			this.shop = value;
			this.#shopTurn++;
		}
		if (problem?.status === 403) this.isOwner = false;
		if (problem) this.notify(tell(problem));
	}

	/** A refusal may follow an earlier try that went through without an answer: what the order is now tells. */
	async #orderEnded(tap, { value, problem }) {
		const id = Number(tap.key.slice("order:".length));
		if (problem && problem.status !== 422) {
			await this.sync.readOne(id).catch(() => this.sync.hurry());
			this.changed();
		}
		const order = this.store.get(id);
		const isReached = order && Object.entries(tap.json).every(([name, wish]) => order[name] === wish);
		if (value || isReached) this.say(t("board.reached", { id, status: order ? t(`common.${order.status}`) : "" }));
		else if (order && (problem.status === 412 || problem.status === 409))
			this.notify(t("board.somebody_else", { id, status: t(`common.${order.status}`) }));
		else this.notify(t("board.refused", { id, why: tell(problem) }));
	}

	#heard(message) {
		if (message.type === "new_order") this.store.announce(message);
		this.sync.hurry();
		this.changed();
	}

	#stateChanged() {
		if (this.live.state === "live") this.sync.hurry();
		this.changed();
	}

	#tellMissed(orders) {
		if (orders.length > 2) this.notify(t("board.missed_many", { n: orders.length }));
		else for (const { id, customer_name } of orders) this.notify(t("board.missed", { id, name: isolated(customer_name) }));
	}

	#turned(problem) {
		if (!problem) {
			this.taps.hurry();
			this.#keepTouched();
			this.#tellMissed(this.store.takeMissed());
		} else if (problem.status === undefined) {
			throw problem;
		}
		this.changed();
	}
}

/** What to say of orders that have begun to ring, read or announced. */
export function newsOf(desk, ids, announced) {
	const names = ids.map((id) => [id, (desk.store.get(id) ?? announced.find((message) => message.order_id === id))?.customer_name ?? ""]);
	return names.length > 3
		? t("board.ringing", { n: names.length })
		: names.map(([id, name]) => t("board.new_order", { id, name: isolated(name) })).join(". ");
}
