// placing.js - a basket on its way to the server, as it is seen: sent, no answer yet, refused, placed. What is sent how often is attempt.js's.

import { Problem } from "../lib/api.js";
import { h } from "../lib/dom.js";
import { t, tell } from "../lib/words.js";
import { isForgotten, latest, pending, place } from "./attempt.js";
import { bodyOf, isEmpty, makeKey, total, withQuantity } from "./basket.js";
import { explain } from "./refusal.js";
import { signIn } from "./sign.js";
import { amount, button, times } from "./ui.js";

const PAUSE_MAX_S = 15;

/** Of one view of the checkout. checkout: {app, shopId, menu, photo, when, go, change(patch), changeBasket(work), draw(), reread()}. */
export class Placing {
	element = h("div", { class: "stack", id: "news", role: "alert", tabindex: "-1", hidden: true });
	#isLeft = false;
	#isSending = false;
	/** Somebody wants no further try. */
	#isStopped = false;
	/** What ends the pause before the next try, where there is one. */
	#wait = { again() {}, stop() {} };

	constructor(checkout) {
		this.checkout = checkout;
		this.app = checkout.app;
	}

	leave() {
		this.#isLeft = true;
		this.#wait.stop();
	}

	/** Words, and what can be done. Read out, and shown. */
	tell(words, buttons = [], isBad = true) {
		this.element.className = `stack note${isBad ? " bad" : ""}`;
		this.element.replaceChildren(...words.map((text) => h("p", {}, text)), ...(buttons.length ? [h("div", { class: "row" }, buttons)] : []));
		this.element.hidden = false;
		this.element.scrollIntoView({ block: "nearest" });
	}

	clear() {
		this.element.hidden = true;
		this.element.replaceChildren();
	}

	get #basket() {
		return this.app.baskets.of(this.checkout.shopId);
	}
	get #shop() {
		return this.app.data.shop(this.checkout.shopId);
	}
	get #user() {
		return this.app.session.who?.user_id;
	}

	/** What stands in the way before anything is sent. */
	#missing() {
		const basket = this.#basket;
		if (isEmpty(basket) && !this.checkout.photo.isWaiting) return "order.empty";
		return basket.when === "later" && !basket.time ? "order.choose_time" : null;
	}

	/** Places the basket as it is. */
	async order() {
		if (this.#isSending) return;
		const fault = this.#missing();
		if (fault) return this.tell([t(fault)]);
		this.clear();
		if (!this.app.session.token && !(await signIn(this.app, t("order.sign_in_to_order")))) return;
		if (!(await this.checkout.photo.send((words) => this.tell(words)))) return;
		await this.#send(bodyOf(this.#basket, this.checkout.shopId, this.#user));
	}

	/** A try that has had no answer goes on by itself; one of long ago only if it is wanted. */
	resume() {
		const kept = this.#user ? this.app.triesOf(this.#user, this.checkout.shopId).get() : null;
		const state = pending(kept, Date.now());
		if (state === "fresh") this.#send(latest(kept));
		if (state !== "old") return;
		this.tell([t("order.old_try", { time: times(kept.sentAt) })], [
			button(t("order.send_again"), () => this.#send(latest(kept)), { class: "go" }),
			h("button", { type: "button", onclick: () => this.clear() }, t("order.leave_it")),
		]);
	}

	/** One body until it has an answer; for its customer, and for nobody else who signs in meanwhile, in another window. */
	async #send(body) {
		const user = this.#user;
		const tries = this.app.triesOf(user, this.checkout.shopId);
		this.#isSending = true;
		this.#isStopped = false;
		this.tell([t("order.placing")], [], false);
		const answer = await place(body, this.#key(tries.get()), {
			kept: tries.get, keep: tries.set,
			send: (text, key) => (user === this.#user ? this.#post(text, key) : Promise.reject(new Problem(0))),
			pause: (problem, failures) => user === this.#user && this.#pause(problem, failures),
		}).finally(() => { this.#isSending = false; });
		if (answer.order) this.#placed(answer, body, user);
		else if (!this.#isLeft) await this.#notPlaced(answer, body);
	}

	#key(kept) {
		if (isForgotten(kept, this.#basket.key, Date.now())) this.#renewKey();
		return this.#basket.key ?? makeKey();
	}
	/** What is in the basket now is another order than the one that its key was used for. */
	#renewKey() {
		this.app.baskets.change(this.checkout.shopId, (basket) => ({ ...basket, key: makeKey() }));
	}

	async #post(text, key) {
		const headers = { "Content-Type": "application/json", "Idempotency-Key": key };
		return (await this.app.session.call("POST", "/orders/", { body: text, headers })).value;
	}

	/** No answer: says so, and waits for a time, for the connection, or for somebody to ask for it. */
	async #pause(problem, failures) {
		if (this.#isLeft || this.#isStopped) return false;
		if (failures === 1) this.#tellNoAnswer(problem);
		const seconds = Math.max(problem.wait, Math.min(PAUSE_MAX_S, 2 ** failures));
		let again, timer;
		const isOn = await new Promise((resolve) => {
			again = () => resolve(true);
			this.#wait = { again, stop: () => resolve(false) };
			timer = setTimeout(again, seconds * 1000);
			addEventListener("online", again);
		});
		clearTimeout(timer);
		removeEventListener("online", again);
		return isOn;
	}

	#tellNoAnswer(problem) {
		this.tell([problem.status === 0 ? t("order.no_answer") : tell(problem), t("order.trying")], [
			h("button", { type: "button", class: "go", onclick: () => this.#wait.again() }, t("order.try_now")),
			h("button", { type: "button", onclick: () => this.#stop() }, t("order.stop_trying")),
		]);
	}

	/** What is on its way is waited for; it is the last. */
	#stop() {
		this.#isStopped = true;
		this.tell([t("order.no_answer")]);
		this.#wait.stop();
	}

	#placed({ order, isEarlier }, body, user) {
		const { app, checkout: { shopId } } = this;
		const basket = this.#basket;
		const isSame = !isEarlier && (isEmpty(basket) || JSON.stringify(bodyOf(basket, shopId, user)) === JSON.stringify(body));
		app.book.take(order);
		if (!isSame) app.remark(order.id, t("order.earlier"));
		else if (basket.lines.length && !order.has_chitty && Math.abs(order.total_amount - total(basket)) > 0.004) {
			app.remark(order.id, t("order.other_total", { total: amount(order.total_amount, this.#shop) }));
		}
		if (isSame) app.baskets.drop(shopId);
		else this.#renewKey();
		app.say(t("order.placed", { id: order.id }));
		if (!this.#isLeft) app.go(`#/order/${order.id}`);
	}

	async #notPlaced(answer, body) {
		if (answer.refusal) await this.#refused(answer.refusal, body);
		else if (answer.isLost) this.#lost();
		else if (!answer.isSignedOut) this.tell([t("order.not_known")]);
		else if (await signIn(this.app, t("order.sign_in_again"))) await this.order();
		else this.tell([t("order.sign_in_again")]);
	}

	#lost() {
		this.#renewKey();
		this.tell([t("order.lost")], [h("button", { type: "button", onclick: () => this.app.go("#/orders") }, t("order.mine"))]);
	}

	async #refused(problem, body) {
		// Its reason is new, too.
		if (problem.code === "shop_paused") await this.app.data.readShop(this.checkout.shopId).catch(() => {});
		const names = new Map(this.checkout.menu?.map(({ id, name }) => [id, name]));
		for (const { product_id, name } of this.#basket.lines) names.set(product_id, name);
		const lines = (body.items ?? []).map((item) => ({ ...item, name: names.get(item.product_id) ?? "" }));
		const { say, offers } = explain(problem, lines, this.#shop);
		const words = say.map(({ word, values, time }) => t(word, { ...values, time: time ? times(time, this.#shop) : "" }));
		this.tell(words.length ? words : [tell(problem)], offers.map((offer) => this.#offer(offer)));
		this.element.focus();
		this.checkout.reread();
	}

	/** A button for each thing that would do. */
	#offer({ kind, name, time, quantity, product_id }) {
		const of = (word, work) => h("button", { type: "button", onclick: work }, word);
		switch (kind) {
		case "time":
			return of(t("order.take_time", { time: times(time, this.#shop) }), () => this.#take(time));
		case "quantity":
			return of(t("order.take_only", { n: quantity, name }), (event) => this.#settle(event.target, product_id, quantity));
		case "remove":
			return of(t("order.remove", { name }), (event) => this.#settle(event.target, product_id, 0));
		case "no_photo":
			return of(t("order.photo_remove"), () => this.#withoutPhoto());
		case "later":
			return of(t("order.other_time"), () => this.#chooseTime());
		case "sign_in":
			return of(t("order.other_account"), () => this.#signInAnew());
		default:
			return of(t("order.all_shops"), () => this.app.go("#/"));
		}
	}

	#take(time) {
		this.checkout.change({ when: "later", time });
		this.#isSettled(t("order.chosen", { time: times(time, this.#shop) }));
	}
	#withoutPhoto() {
		this.checkout.photo.remove();
		this.#isSettled(t("order.basket_changed"));
	}
	#chooseTime() {
		this.checkout.change({ when: "later" });
		this.clear();
		this.checkout.when.focus();
	}
	async #signInAnew() {
		this.app.session.signOut();
		if (await signIn(this.app)) this.clear();
	}

	/** A basket may be short of several things: their buttons go one by one. */
	#settle(pressed, productId, quantity) {
		this.checkout.changeBasket((basket) => withQuantity(basket, { id: productId, name: "", price: 0 }, quantity));
		pressed.remove();
		const next = this.element.querySelector("button");
		if (next) next.focus();
		else this.#isSettled(t("order.basket_changed"));
	}

	#isSettled(text) {
		this.clear();
		this.checkout.go.focus();
		this.app.say(text);
	}
}
