// main.js - the customer's page: its one state, its views by the address behind #, who is signed in, and what is live.

import { Problem, Session } from "../lib/api.js";
import { byId, h } from "../lib/dom.js";
import { choose, current, languages, load, t } from "../lib/words.js";
import { Baskets, Store } from "./basket.js";
import { Data } from "./data.js";
import { OrderBook, isOpen } from "./orderbook.js";
import { ShopsView } from "./shops.js";
import { first } from "./start.js";
import { trouble } from "./ui.js";

const SAY_MS = 50;
const RETRY_MAX_MS = 30000;

/** What the first view needs not, and the network may not give: each use says what holds without it. */
const later = () => import("./later.js");

/** Addresses; whether their view is among the later ones; and how it is made. */
const ROUTES = [
	[/^#\/shop\/(\d+)\/checkout$/, true, ({ CheckoutView }, app, id) => new CheckoutView(app, Number(id))],
	[/^#\/shop\/(\d+)$/, true, ({ MenuView }, app, id) => new MenuView(app, Number(id))],
	[/^#\/orders$/, true, ({ MineView, signInFirst }, app) => (app.user ? new MineView(app) : signInFirst(app, t("order.mine")))],
	[/^#\/order\/(\d+)$/, true, ({ ProgressView, signInFirst }, app, id) =>
		app.user ? new ProgressView(app, Number(id)) : signInFirst(app, t("order.order", { id }))],
	[/^/, false, (_, app) => new ShopsView(app)],
];

/** What could not be loaded: the browser may keep that it could not, so the page is loaded anew. Baskets and tries are kept. */
function missing() {
	const strip = trouble(() => location.reload());
	strip.show(new Problem(0));
	return { element: h("div", { class: "stack" }, h("h1", { tabindex: "-1" }, t("order.title")), strip.element), title: () => "", leave() {} };
}

/** Whatever of localStorage the browser allows. */
function storage() {
	try {
		return localStorage;
	} catch {
		return null;
	}
}

class App {
	constructor() {
		this.session = new Session("pickup.customer");
		this.store = new Store(storage());
		this.baskets = new Baskets(this.store);
		this.data = new Data();
		this.book = new OrderBook();
		this.live = null;
		this.view = null;
		/** Counts the views that were asked for. */
		this.turn = 0;
		/** Who signed in last on this page, to be asked for the password alone. */
		this.lastPhone = "";
		/** When each order was last read. */
		this.readAt = new Map();
		/** What is to be said beside an order, once it is shown. */
		this.remarks = new Map();
	}

	start() {
		addEventListener("hashchange", () => this.show());
		addEventListener("storage", (event) => event.key?.startsWith("pickup.basket.") && this.view?.basketChanged?.());
		navigator.serviceWorker?.addEventListener("message", (event) => typeof event.data?.open === "string" && this.go(event.data.open));
		this.session.addEventListener("change", () => this.changeUser());
		this.book.addEventListener("change", (event) => this.orderChanged(event.detail));
		byId("skip").addEventListener("click", (event) => {
			event.preventDefault();
			byId("main").focus();
		});
		this.user = this.session.who?.user_id;
		this.drawTop();
		this.open();
	}

	/** The first view, and then what is behind it. */
	async open() {
		const tries = this.user ? this.store.names(`pickup.try.${this.user}.`) : [];
		if (tries.length) await this.toPending(tries);
		await this.show(true);
		await first;
		await later().catch(() => {});
		this.listen();
	}

	/** What a try to place keeps for that user and shop. */
	triesOf(user, shopId) {
		const name = `pickup.try.${user}.${shopId}`;
		return { get: () => this.store.get(name), set: (attempt) => this.store.set(name, attempt) };
	}

	/** Where this page was closed or loaded anew amid placing, it goes on there. */
	async toPending(tries) {
		const { pending } = await later().catch(() => ({}));
		const found = tries.find((name) => pending?.(this.store.get(name), Date.now()) === "fresh");
		if (found) history.replaceState(null, "", `#/shop/${found.split(".").at(-1)}/checkout`);
	}

	go(hash) {
		if (/^#\//.test(hash)) location.hash = hash;
	}

	async show(isFirst = false) {
		const { hash } = location;
		if (!isFirst && hash && !hash.startsWith("#/")) return;
		const [pattern, isLater, make] = ROUTES.find(([p]) => p.test(hash));
		const turn = ++this.turn;
		const views = isLater ? await later().catch(() => null) : {};
		// Somebody went on meanwhile.
		if (turn !== this.turn) return;
		this.view?.leave();
		this.view = views ? make(views, this, ...pattern.exec(hash).slice(1)) : missing();
		byId("main").replaceChildren(this.view.element);
		this.retitle();
		this.markLinks();
		if (isFirst) return;
		scrollTo(0, 0);
		byId("main").querySelector("h1").focus();
	}

	markLinks() {
		for (const [id, isHere] of [["to-shops", !/^#\/order/.test(location.hash)], ["to-orders", /^#\/order/.test(location.hash)]]) {
			if (isHere) byId(id).setAttribute("aria-current", "true");
			else byId(id).removeAttribute("aria-current");
		}
	}

	/** The title tells what somebody in another tab waits for. */
	retitle() {
		const ready = this.book.list().filter((order) => order.status === "ready");
		const mark = ready.length ? `(${t("order.ready_title", { n: ready.length })}) ` : "";
		document.title = `${mark}${this.view?.title() ?? ""} – ${t("order.title")}`;
	}

	/** Read out by a screen reader. */
	say(text) {
		byId("say").textContent = "";
		setTimeout(() => { byId("say").textContent = text; }, SAY_MS);
	}

	remark(id, text) {
		this.remarks.set(id, [this.remarks.get(id), text].filter(Boolean).join(" "));
	}

	changeUser() {
		const user = this.session.who?.user_id;
		this.drawTop();
		if (user === this.user) return;
		this.user = user;
		this.book.clear();
		this.readAt.clear();
		this.remarks.clear();
		this.listen();
		// A basket stays as it is; whatever shows a person's own is drawn anew.
		if (this.view?.ordersChanged || this.view?.isForSigning) this.show();
		this.view?.userChanged?.();
		this.retitle();
	}

	/** Hears of one's own orders, whatever view is shown. */
	async listen() {
		const { user } = this;
		this.live?.close();
		this.live = null;
		if (!user) return;
		const views = await later().catch(() => null);
		if (user !== this.user || this.live) return;
		if (!views) {
			setTimeout(() => user === this.user && !this.live && this.listen(), RETRY_MAX_MS);
			return;
		}
		this.live = new views.Live(this.session, "customer", this.user);
		this.live.addEventListener("message", (event) => this.insist(() => this.readOrder(event.detail.order_id)));
		this.live.addEventListener("resync", () => this.insist(() => this.readOpen()));
		this.live.addEventListener("state", () => {
			this.view?.liveChanged?.();
			if (this.live?.state === "live") this.insist(() => this.readOpen());
		});
	}

	/** Tries until it has worked, unless it never will. */
	async insist(work, failures = 0) {
		const user = this.user;
		const problem = await work().then(() => null, (p) => p);
		if (!problem?.isPassing) return;
		setTimeout(() => user === this.user && this.insist(work, failures + 1), Math.min(RETRY_MAX_MS, 1000 * 2 ** failures));
	}

	async readOrder(id) {
		const user = this.user;
		const order = (await this.session.call("GET", `/orders/${id}`)).value;
		// Whoever helps in a shop may read its orders too; they are on the board, and not this person's.
		if (order.customer_id !== user) throw new Problem(404, { code: "not_found" });
		await this.takeOrders([order]);
		this.view?.ordersChanged?.();
	}

	/** What came from a list, with the shops that it names. */
	async takeOrders(orders) {
		await Promise.all([...new Set(orders.map((order) => order.shop_id))].map((id) => this.data.known(id)));
		for (const order of orders) {
			// Somebody else may have signed in meanwhile.
			if (order.customer_id !== this.user) continue;
			this.readAt.set(order.id, Date.now());
			this.book.take(order);
		}
	}

	/** All that may still change: what a lost connection may have kept from this page. */
	async readOpen() {
		const user = this.user;
		const path = "/orders/me?limit=100&status=pending&status=confirmed&status=preparing&status=ready";
		const orders = await this.session.all(path, 3);
		await this.takeOrders(orders);
		if (user !== this.user) return;
		const found = new Set(orders.map((order) => order.id));
		for (const order of this.book.list()) if (isOpen(order) && !found.has(order.id)) this.insist(() => this.readOrder(order.id));
	}

	orderChanged({ order, before }) {
		this.view?.ordersChanged?.();
		this.drawCount();
		this.retitle();
		if (!before || before.status === order.status) return;
		const status = t(`order.status.${order.status}`);
		this.say(`${t("order.order", { id: order.id })}: ${status}`);
		if (order.status !== "ready" && order.status !== "cancelled") return;
		const about = [t("order.order", { id: order.id }), this.data.shop(order.shop_id)?.name].filter(Boolean).join(", ");
		const notify = (...of) => later().then((views) => views.notify(...of), () => {});
		notify(status, about, `pickup-${order.id}-${order.status}`, `#/order/${order.id}`);
	}

	drawCount() {
		const n = this.book.list().filter(isOpen).length;
		byId("to-orders").textContent = n ? t("order.mine_open", { n }) : t("order.mine");
	}

	drawTop() {
		const { session } = this;
		const enter = () => later().then(({ signIn }) => signIn(this), () => location.reload());
		const button = session.token
			? h("button", { type: "button", onclick: () => session.signOut() }, t("common.sign_out"))
			: h("button", { type: "button", onclick: enter }, t("common.sign_in"));
		const isFocused = byId("account").contains(document.activeElement);
		byId("account").replaceChildren(button);
		if (isFocused) button.focus();
		const options = Object.entries(languages).map(([code, name]) => h("option", { value: code, lang: code }, name));
		const language = h("select", { id: "language", onchange: () => choose(language.value) }, options);
		language.value = current();
		byId("bottom").replaceChildren(h("label", { for: "language" }, t("common.language")), language,
			h("span", { class: "quiet" }, session.token ? t("order.signed_in", { phone: session.who.phone_number }) : ""));
		this.drawCount();
	}
}

await load();
new App().start();
