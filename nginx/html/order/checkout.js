// checkout.js - the basket of a shop on its way to an order: lines, a photo, when, notes, placing, refusals.

import { Problem } from "../lib/api.js";
import { h, keyed } from "../lib/dom.js";
import { t, tell } from "../lib/words.js";
import { latest, pending, place } from "./attempt.js";
import { NOTES_MAX, WISH_MAX, bodyOf, compare, isEmpty, lineTotal, total, withQuantity, withWish } from "./basket.js";
import { photoChoice } from "./photoview.js";
import { explain } from "./refusal.js";
import { signIn } from "./sign.js";
import { amount, button, named, stepper, times, trouble, watch } from "./ui.js";
import { whenChoice } from "./when.js";

const EVERY_S = 30;
const PAUSE_MAX_S = 15;

export function checkoutView(app, shopId) {
	const heading = h("h1", { tabindex: "-1" }, t("order.checkout"));
	const list = h("ul", { class: "menu" });
	const empty = h("p", { class: "quiet" });
	const sum = h("p", { class: "sum" });
	const notes = h("textarea", { id: "notes", maxlength: NOTES_MAX, rows: 3, oninput: () => app.baskets.change(shopId, keepNotes) });
	const news = h("div", { class: "stack", id: "news", role: "alert", tabindex: "-1" });
	const go = button("", () => order(), { class: "go big" });
	const strip = trouble(() => reading.now());
	const photo = photoChoice(app, shopId, () => draw());
	const when = whenChoice(app, shopId, () => app.baskets.of(shopId), change);
	let menu = null;
	let isLeft = false;
	let isSending = false;
	/** What ends the pause before the next try, where there is one. */
	let wait = { again() {}, stop() {} };

	const keepNotes = (basket) => ({ ...basket, notes: notes.value });

	function change(patch) {
		app.baskets.change(shopId, (basket) => ({ ...basket, ...patch }));
		draw();
	}
	function changeBasket(work) {
		app.baskets.change(shopId, work);
		draw();
	}

	function makeLine(line) {
		const row = h("li", { class: "product" });
		const wish = h("input", { id: `wish-${line.product_id}`, maxlength: WISH_MAX, value: line.special_instructions, onchange: () => changeBasket((b) => withWish(b, line.product_id, wish.value)) });
		row.words = h("div", { class: "words" });
		row.stepper = stepper(line.name, (quantity) => setQuantity(row.line, quantity));
		row.append(row.words, row.stepper, h("details", { class: "wish", open: Boolean(line.special_instructions) }, h("summary", {}, t("order.wish")),
			h("label", { for: wish.id, class: "unseen" }, t("order.wish_for", { name: line.name })), wish));
		return fillLine(row, line);
	}
	const setQuantity = (line, quantity) => changeBasket((b) => withQuantity(b, { ...line, id: line.product_id }, quantity));

	function fillLine(row, line) {
		const trouble = menu && compare({ lines: [line] }, menu).troubles[0];
		row.line = line;
		row.words.replaceChildren(h("h3", {}, named(line.name)), h("p", {}, amount(lineTotal(line), app.data.shop(shopId))),
			...(trouble ? [h("p", { class: "fault" }, trouble.left === null ? t("order.off_sale") : trouble.left ? t("order.only_left", { n: trouble.left }) : t("order.sold_out"))] : []));
		row.stepper.set(line.quantity, menu?.find(({ id }) => id === line.product_id)?.stock ?? undefined);
		return row;
	}

	function draw() {
		const shop = app.data.shop(shopId);
		const basket = app.baskets.of(shopId);
		if (shop) heading.replaceChildren(t("order.checkout_at"), " ", named(shop.name));
		keyed(list, basket.lines, (line) => line.product_id, makeLine, fillLine);
		empty.textContent = basket.lines.length ? "" : t(basket.photo ? "order.photo_only" : "order.empty");
		sum.replaceChildren(t("common.total"), " ", h("strong", {}, amount(total(basket), shop)), basket.photo ? ` ${t("order.plus_list")}` : "");
		sum.hidden = isEmpty(basket);
		if (document.activeElement !== notes) notes.value = basket.notes;
		go.textContent = basket.lines.length ? t("order.place_for", { total: amount(total(basket), shop) }) : t("order.place");
		photo.update();
		when.update();
	}

	/** News of placing: words and what can be done. Read out, and shown. */
	function tellNews(words, buttons = [], isBad = true) {
		news.className = `stack note${isBad ? " bad" : ""}`;
		news.replaceChildren(...words.map((text) => h("p", {}, text)), ...(buttons.length ? [h("div", { class: "row" }, buttons)] : []));
		news.hidden = false;
		news.scrollIntoView({ block: "nearest" });
	}
	function noNews() {
		news.hidden = true;
		news.replaceChildren();
	}

	/** What stands in the way before anything is sent. */
	function missing(basket) {
		if (isEmpty(basket) && !photo.isWaiting()) return "order.empty";
		if (basket.when === "later" && !basket.time) return "order.choose_time";
		return null;
	}

	async function order() {
		if (isSending) return;
		const fault = missing(app.baskets.of(shopId));
		if (fault) return tellNews([t(fault)]);
		noNews();
		if (!app.session.token && !(await signIn(app, t("order.sign_in_to_order")))) return;
		if (!(await photo.send(tellNews))) return;
		await send(bodyOf(app.baskets.of(shopId), shopId, app.session.who?.user_id));
	}

	/** Nothing is ordered for whoever else signed in meanwhile, in another window. */
	const isUser = (user) => app.session.who?.user_id === user;

	async function post(text, key) {
		return (await app.session.call("POST", "/orders/", { body: text, headers: { "Content-Type": "application/json", "Idempotency-Key": key } })).value;
	}

	/** One body until it has an answer. */
	async function send(body) {
		const user = app.session.who?.user_id;
		const tries = app.triesOf(user, shopId);
		isSending = true;
		tellNews([t("order.placing")], [], false);
		const answer = await place(body, {
			kept: tries.get, keep: tries.set, pause: (problem, failures) => isUser(user) && pause(problem, failures),
			send: (text, key) => (isUser(user) ? post(text, key) : Promise.reject(new Problem(0))),
		}).finally(() => { isSending = false; });
		if (answer.order) return placed(answer, body, user);
		if (isLeft) return undefined;
		if (answer.refusal) return refused(answer.refusal, body);
		if (answer.isLost) return tellNews([t("order.lost")], [h("button", { type: "button", onclick: () => app.go("#/orders") }, t("order.mine"))]);
		if (answer.isSignedOut) return (await signIn(app, t("order.sign_in_again"))) ? order() : tellNews([t("order.sign_in_again")]);
		return tellNews([t("order.not_known")]);
	}

	/** No answer: says so, and waits for a time, for the connection, or for somebody to ask for it. */
	async function pause(problem, failures) {
		if (isLeft) return false;
		if (failures === 1) {
			tellNews([problem.status === 0 ? t("order.no_answer") : tell(problem), t("order.trying")], [
				h("button", { type: "button", class: "go", onclick: () => wait.again() }, t("order.try_now")),
				h("button", { type: "button", onclick: () => wait.stop() }, t("order.stop_trying")),
			]);
		}
		const seconds = Math.max(problem.wait, Math.min(PAUSE_MAX_S, 2 ** failures));
		let again, timer;
		const isOn = await new Promise((resolve) => {
			again = () => resolve(true);
			wait = { again, stop: () => resolve(false) };
			timer = setTimeout(again, seconds * 1000);
			addEventListener("online", again);
		});
		clearTimeout(timer);
		removeEventListener("online", again);
		return isOn;
	}

	function placed({ order, isEarlier }, body, user) {
		app.book.take(order);
		const basket = app.baskets.of(shopId);
		const isSame = isEmpty(basket) || JSON.stringify(bodyOf(basket, shopId, user)) === JSON.stringify(body);
		if (isSame && !isEarlier) app.baskets.drop(shopId);
		else app.remark(order.id, t("order.earlier"));
		if (isSame && !isEarlier && basket.lines.length && !order.has_chitty && Math.abs(order.total_amount - total(basket)) > 0.004) {
			app.remark(order.id, t("order.other_total", { total: amount(order.total_amount, app.data.shop(shopId)) }));
		}
		app.say(t("order.placed", { id: order.id }));
		if (!isLeft) app.go(`#/order/${order.id}`);
	}

	function refused(problem, body) {
		const shop = app.data.shop(shopId);
		const names = new Map([...(menu ?? []).map(({ id, name }) => [id, name]), ...app.baskets.of(shopId).lines.map(({ product_id, name }) => [product_id, name])]);
		const { say, offers } = explain(problem, (body.items ?? []).map((item) => ({ ...item, name: names.get(item.product_id) ?? "" })), shop);
		const words = say.map(({ word, values, time }) => t(word, { ...values, time: time ? times(time, shop) : "" }));
		if (!words.length) words.push(tell(problem));
		tellNews(words, offers.map((offer) => offerButton(offer, shop)));
		news.focus();
		reading.now();
		when.refresh();
	}

	function offerButton(offer, shop) {
		const { kind, name, time, quantity, product_id } = offer;
		const isOrderable = (text) => () => { noNews(); draw(); go.focus(); app.say(text); };
		const product = { id: product_id, name, price: 0 };
		const works = {
			time: () => [t("order.take_time", { time: times(time, shop) }), () => { change({ when: "later", time }); isOrderable(t("order.chosen", { time: times(time, shop) }))(); }],
			quantity: () => [t("order.take_only", { n: quantity, name }), () => settle(product, quantity)],
			remove: () => [t("order.remove", { name }), () => settle(product, 0)],
			no_photo: () => [t("order.photo_remove"), () => { photo.remove(); noNews(); }],
			later: () => [t("order.other_time"), () => { change({ when: "later" }); noNews(); when.element.querySelector("select").focus(); }],
			sign_in: () => [t("order.other_account"), async () => { app.session.signOut(); if (await signIn(app)) noNews(); }],
			shops: () => [t("order.all_shops"), () => app.go("#/")],
		};
		const [word, work] = works[kind]();
		const element = h("button", { type: "button", onclick: work }, word);
		/** A basket may be short of several things: their buttons go one by one. */
		function settle(of, wanted) {
			changeBasket((basket) => withQuantity(basket, of, wanted));
			element.remove();
			if (!news.querySelector("button")) isOrderable(t("order.basket_changed"))();
			else news.querySelector("button").focus();
		}
		return element;
	}

	/** A try that has had no answer goes on by itself; one of long ago only if it is wanted. */
	function resume() {
		const user = app.session.who?.user_id;
		const kept = user ? app.triesOf(user, shopId).get() : null;
		const state = pending(kept, Date.now());
		if (state === "fresh") return send(latest(kept));
		if (state === "none") return undefined;
		return tellNews([t("order.old_try", { time: times(kept.sentAt) })], [
			button(t("order.send_again"), () => send(latest(kept)), { class: "go" }), h("button", { type: "button", onclick: noNews }, t("order.leave_it")),
		]);
	}

	const reading = watch(async () => {
		let shop;
		[shop, menu] = await Promise.all([app.data.readShop(shopId), app.data.menu(shopId)]);
		app.baskets.change(shopId, (basket) => compare(basket, menu).basket);
		draw();
		app.retitle();
		return shop;
	}, EVERY_S, strip.show);

	draw();
	noNews();
	resume();
	const element = h("div", { class: "stack" },
		h("p", {}, h("a", { href: `#/shop/${shopId}` }, t("order.back_to_menu"))), heading, strip.element,
		h("section", { class: "section stack", "aria-label": t("order.basket") }, h("h2", {}, t("order.basket")), empty, list, sum), photo.element, when.element,
		h("section", { class: "section stack", "aria-label": t("common.notes") }, h("label", { for: "notes" }, t("order.notes")), notes),
		h("div", { class: "stack place" }, news, go));
	return {
		element, title: () => t("order.checkout"), basketChanged: draw, userChanged: draw,
		leave() {
			isLeft = true;
			wait.stop();
			reading.stop();
			when.leave();
			photo.leave();
		},
	};
}
