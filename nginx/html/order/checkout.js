// checkout.js - the basket of a shop, with all that an order needs: lines, a photo, when, notes. How it is placed is placing.js's.

import { h, keyed } from "../lib/dom.js";
import { t } from "../lib/words.js";
import { NOTES_MAX, WISH_MAX, compare, isEmpty, lineTotal, total, withQuantity, withWish } from "./basket.js";
import { PhotoChoice } from "./photoview.js";
import { Placing } from "./placing.js";
import { amount, button, named, stepper, trouble, watch } from "./ui.js";
import { WhenChoice } from "./when.js";

const EVERY_S = 30;

export class CheckoutView {
	menu = null;
	#heading = h("h1", { tabindex: "-1" }, t("order.checkout"));
	#list = h("ul", { class: "menu" });
	#empty = h("p", { class: "quiet" });
	#sum = h("p", { class: "sum" });
	#notes = h("textarea", { id: "notes", maxlength: NOTES_MAX, rows: 3, oninput: () => this.#keepNotes() });
	#strip = trouble(() => this.#reading.now());

	constructor(app, shopId) {
		Object.assign(this, { app, shopId });
		this.go = button("", () => this.placing.order(), { class: "go big" });
		this.photo = new PhotoChoice(app, shopId, () => this.draw());
		this.when = new WhenChoice(app, shopId, (patch) => this.change(patch));
		this.placing = new Placing(this);
		this.element = this.#build();
		this.#reading = watch(() => this.#read(), EVERY_S, this.#strip.show);
		this.draw();
		this.placing.resume();
	}
	#reading;

	#build() {
		return h("div", { class: "stack" },
			h("p", {}, h("a", { href: `#/shop/${this.shopId}` }, t("order.back_to_menu"))), this.#heading, this.#strip.element,
			h("section", { class: "section stack", "aria-label": t("order.basket") }, h("h2", {}, t("order.basket")), this.#empty, this.#list, this.#sum),
			this.photo.element, this.when.element,
			h("section", { class: "section stack", "aria-label": t("common.notes") }, h("label", { for: "notes" }, t("order.notes")), this.#notes),
			h("div", { class: "stack place" }, this.placing.element, this.go));
	}

	title() {
		return t("order.checkout");
	}
	basketChanged() {
		this.draw();
	}
	userChanged() {
		this.draw();
	}
	leave() {
		this.placing.leave();
		this.#reading.stop();
		this.when.leave();
		this.photo.leave();
	}

	async #read() {
		const [, menu] = await Promise.all([this.app.data.readShop(this.shopId), this.app.data.menu(this.shopId)]);
		this.menu = menu;
		this.changeBasket((basket) => compare(basket, menu).basket);
	}
	/** After a refusal, which tells that something here is not so any more. */
	reread() {
		this.#reading.now();
		this.when.reread();
	}

	change(patch) {
		this.changeBasket((basket) => ({ ...basket, ...patch }));
	}
	changeBasket(work) {
		this.app.baskets.change(this.shopId, work);
		this.draw();
	}
	#keepNotes() {
		this.app.baskets.change(this.shopId, (basket) => ({ ...basket, notes: this.#notes.value }));
	}

	draw() {
		const shop = this.app.data.shop(this.shopId);
		const basket = this.app.baskets.of(this.shopId);
		const price = amount(total(basket), shop);
		if (shop) this.#heading.replaceChildren(t("order.checkout_at"), " ", named(shop.name));
		keyed(this.#list, basket.lines, (line) => line.product_id, (line) => this.#makeLine(line), (row, line) => this.#fillLine(row, line));
		this.#empty.textContent = basket.lines.length ? "" : t(basket.photo ? "order.photo_only" : "order.empty");
		this.#sum.replaceChildren(t("common.total"), " ", h("strong", {}, price), basket.photo ? ` ${t("order.plus_list")}` : "");
		this.#sum.hidden = isEmpty(basket);
		if (document.activeElement !== this.#notes) this.#notes.value = basket.notes;
		this.go.textContent = basket.lines.length ? t("order.place_for", { total: price }) : t("order.place");
		this.photo.draw();
		this.when.draw();
	}

	#makeLine(line) {
		const row = h("li", { class: "product" });
		const id = line.product_id;
		const wish = h("input", {
			id: `wish-${id}`, maxlength: WISH_MAX, value: line.special_instructions,
			onchange: () => this.changeBasket((basket) => withWish(basket, id, wish.value)),
		});
		row.words = h("div", { class: "words" });
		row.stepper = stepper(line.name, (quantity) => this.changeBasket((basket) => withQuantity(basket, { ...row.line, id }, quantity)));
		row.append(row.words, row.stepper, h("details", { class: "wish", open: Boolean(line.special_instructions) }, h("summary", {}, t("order.wish")),
			h("label", { for: wish.id, class: "unseen" }, t("order.wish_for", { name: line.name })), wish));
		this.#fillLine(row, line);
		return row;
	}

	#fillLine(row, line) {
		const [found] = this.menu ? compare({ lines: [line] }, this.menu).troubles : [];
		row.line = line;
		row.words.replaceChildren(h("h3", {}, named(line.name)), h("p", {}, amount(lineTotal(line), this.app.data.shop(this.shopId))),
			...(found ? [h("p", { class: "fault" }, shortage(found.left))] : []));
		row.stepper.set(line.quantity, this.menu?.find(({ id }) => id === line.product_id)?.stock ?? undefined);
	}
}

function shortage(left) {
	if (left === null) return t("order.off_sale");
	return left ? t("order.only_left", { n: left }) : t("order.sold_out");
}
