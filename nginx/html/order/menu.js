// menu.js - one shop: whether it is open, what it has on sale and what is left of it, and the way to the basket.

import { h, keyed } from "../lib/dom.js";
import { current, t } from "../lib/words.js";
import { compare, count, isEmpty, quantityOf, total, withQuantity } from "./basket.js";
import { amount, named, openness, stepper, trouble, watch } from "./ui.js";

const EVERY_S = 30;
const MANY = 10;

export function menuView(app, shopId) {
	const heading = h("h1", { tabindex: "-1" }, t("common.loading"));
	const about = h("div", { class: "stack about" });
	const list = h("ul", { class: "menu" });
	const empty = h("p", { class: "quiet", hidden: true }, t("order.no_products"));
	const find = h("input", { type: "search", id: "find-product", oninput: draw });
	const finder = h("div", { hidden: true }, h("label", { for: "find-product" }, t("order.find_product")), find);
	const bar = h("a", { class: "bar", href: `#/shop/${shopId}/checkout` });
	const strip = trouble(() => reading.now());
	let shop = app.data.shop(shopId);
	let menu = null;

	function setQuantity(product, quantity) {
		app.baskets.change(shopId, (basket) => withQuantity(basket, product, quantity));
		draw();
	}

	function makeRow(product) {
		const row = h("li", { class: "product" });
		row.stepper = stepper(product.name, (quantity) => setQuantity(row.product, quantity));
		row.words = h("div", { class: "words" });
		row.append(row.words, row.stepper);
		return fillRow(row, product);
	}

	function fillRow(row, product) {
		row.product = product;
		const isCounted = product.stock !== null;
		row.words.replaceChildren(
			h("h2", {}, named(product.name)),
			h("p", {}, amount(product.price, shop), product.unit && h("span", { class: "quiet" }, " / ", named(product.unit)),
				isCounted && h("span", { class: product.stock ? "left" : "left fault" }, product.stock ? t("order.left", { n: product.stock }) : t("order.sold_out"))),
			...(product.description ? [h("p", { class: "quiet lines" }, named(product.description))] : []),
		);
		row.stepper.set(quantityOf(app.baskets.of(shopId), product.id), isCounted ? product.stock : undefined);
		return row;
	}

	function draw() {
		if (!shop) return;
		heading.replaceChildren(named(shop.name));
		drawAbout(about, shop);
		const basket = app.baskets.of(shopId);
		bar.textContent = isEmpty(basket) ? t("order.by_photo") : t("order.to_checkout", { n: count(basket), total: amount(total(basket), shop) });
		if (!menu) return;
		const wanted = find.value.trim().toLocaleLowerCase();
		finder.hidden = menu.length <= MANY;
		empty.hidden = menu.length > 0;
		keyed(list, menu.filter((product) => product.name.toLocaleLowerCase().includes(wanted)), (product) => product.id, makeRow, fillRow);
	}

	const reading = watch(async () => {
		[shop, menu] = await Promise.all([app.data.readShop(shopId), app.data.menu(shopId)]);
		menu.sort((a, b) => new Intl.Collator(current()).compare(a.name, b.name));
		app.baskets.change(shopId, (basket) => compare(basket, menu).basket);
		draw();
		app.retitle();
	}, EVERY_S, (problem) => {
		strip.show(problem);
		if (problem && !shop) heading.textContent = t("order.shop", { id: shopId });
	});
	draw();
	const element = h("div", { class: "stack" }, h("p", {}, h("a", { href: "#/" }, t("order.all_shops"))), heading, strip.element, about, finder, empty, list, bar);
	return { element, title: () => shop?.name ?? "", leave: reading.stop, basketChanged: draw };
}

/** Its state, pause, address and telephone. */
export function drawAbout(about, shop) {
	// The same again is left alone, so that nobody's focus is lost.
	const key = JSON.stringify([shop, openness(shop).textContent]);
	if (about.dataset.key === key) return;
	about.dataset.key = key;
	const isPaused = shop.paused_until && Date.parse(shop.paused_until) > Date.now();
	about.replaceChildren(
		h("p", {}, openness(shop)),
		...(isPaused && shop.pause_reason ? [h("p", {}, t("order.pause_reason", { reason: shop.pause_reason }))] : []),
		...(shop.address ? [h("p", { class: "quiet lines" }, named(shop.address))] : []),
		...(shop.phone_number ? [h("p", {}, h("a", { href: `tel:${shop.phone_number.replace(/[^+0-9]/g, "")}` }, named(shop.phone_number)))] : []),
	);
}
