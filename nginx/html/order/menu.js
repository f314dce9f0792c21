// menu.js - one shop: whether it is open, what it has on sale and what is left of it, and the way to the basket.

import { h, keyed } from "../lib/dom.js";
import { current, t } from "../lib/words.js";
import { compare, count, isEmpty, quantityOf, total, withQuantity } from "./basket.js";
import { hoursOf } from "./hours.js";
import { amount, named, openness, stepper, trouble, watch, zoneOfShop } from "./ui.js";

const EVERY_S = 30;
const MANY = 10;

export class MenuView {
	#heading = h("h1", { tabindex: "-1" }, t("common.loading"));
	#about = h("div", { class: "stack" });
	#list = h("ul", { class: "menu" });
	#empty = h("p", { class: "quiet", hidden: true }, t("order.no_products"));
	#find = h("input", { type: "search", id: "find-product", oninput: () => this.#draw() });
	#finder = h("div", { hidden: true }, h("label", { for: "find-product" }, t("order.find_product")), this.#find);
	#strip = trouble(() => this.#reading.now());
	#menu = null;
	#reading;

	constructor(app, shopId) {
		Object.assign(this, { app, shopId });
		this.bar = h("a", { class: "bar", href: `#/shop/${shopId}/checkout` });
		this.element = h("div", { class: "stack" }, h("p", {}, h("a", { href: "#/" }, t("order.all_shops"))), this.#heading, this.#strip.element,
			this.#about, this.#finder, this.#empty, this.#list, this.bar);
		this.#draw();
		this.#reading = watch(() => this.#read(), EVERY_S, (problem) => {
			this.#strip.show(problem);
			if (problem && !this.#shop) this.#heading.textContent = t("order.shop", { id: shopId });
		});
	}

	get #shop() {
		return this.app.data.shop(this.shopId);
	}
	title() {
		return this.#shop?.name ?? "";
	}
	basketChanged() {
		this.#draw();
	}
	leave() {
		this.#reading.stop();
	}

	async #read() {
		const [, menu] = await Promise.all([this.app.data.readShop(this.shopId), this.app.data.menu(this.shopId)]);
		const { compare: inOrder } = new Intl.Collator(current());
		this.#menu = menu.sort((a, b) => inOrder(a.name, b.name));
		this.app.baskets.change(this.shopId, (basket) => compare(basket, menu).basket);
		this.#draw();
		this.app.retitle();
	}

	#draw() {
		const shop = this.#shop;
		if (!shop) return;
		const basket = this.app.baskets.of(this.shopId);
		this.#heading.replaceChildren(named(shop.name));
		drawAbout(this.#about, shop);
		this.bar.textContent = isEmpty(basket) ? t("order.by_photo") : t("order.to_checkout", { n: count(basket), total: amount(total(basket), shop) });
		if (!this.#menu) return;
		const wanted = this.#find.value.trim().toLocaleLowerCase();
		const shown = this.#menu.filter((product) => product.name.toLocaleLowerCase().includes(wanted));
		this.#finder.hidden = this.#menu.length <= MANY;
		this.#empty.hidden = this.#menu.length > 0;
		const make = (product) => this.#makeRow(product, basket);
		keyed(this.#list, shown, (product) => product.id, make, (row, product) => this.#fillRow(row, product, basket));
	}

	#makeRow(product, basket) {
		const row = h("li", { class: "product" });
		row.words = h("div", { class: "words" });
		row.stepper = stepper(product.name, (quantity) => this.#setQuantity(row.product, quantity));
		row.append(row.words, row.stepper);
		this.#fillRow(row, product, basket);
		return row;
	}

	#fillRow(row, product, basket) {
		row.product = product;
		row.words.replaceChildren(
			h("h2", {}, named(product.name)),
			h("p", {}, amount(product.price, this.#shop), product.unit && h("span", { class: "quiet" }, " / ", named(product.unit)), left(product)),
			...(product.description ? [h("p", { class: "quiet lines" }, named(product.description))] : []),
		);
		row.stepper.set(quantityOf(basket, product.id), product.stock ?? undefined);
	}

	#setQuantity(product, quantity) {
		this.app.baskets.change(this.shopId, (basket) => withQuantity(basket, product, quantity));
		this.#draw();
	}
}

function left({ stock }) {
	if (stock === null) return null;
	return stock ? h("span", { class: "left" }, t("order.left", { n: stock })) : h("span", { class: "left fault" }, t("order.sold_out"));
}

/** Its state, pause, address and telephone. */
function drawAbout(about, shop) {
	const parts = [h("p", {}, openness(shop))];
	const isPaused = shop.paused_until && Date.parse(shop.paused_until) > Date.now();
	if (isPaused && shop.pause_reason) parts.push(h("p", {}, t("order.pause_reason", { reason: shop.pause_reason })));
	if (shop.address) parts.push(h("p", { class: "quiet lines" }, named(shop.address)));
	if (shop.phone_number) parts.push(h("p", {}, h("a", { href: `tel:${shop.phone_number.replace(/[^+0-9]/g, "")}` }, named(shop.phone_number))));
	const hours = hoursOf(shop, zoneOfShop(shop));
	if (hours) parts.push(hours);
	// The same again is left alone, so that nobody's focus is lost.
	const text = parts.map((part) => part.textContent).join("\n");
	if (about.dataset.text === text) return;
	about.dataset.text = text;
	about.replaceChildren(...parts);
}
