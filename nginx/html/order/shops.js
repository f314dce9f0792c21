// shops.js - the first view: all shops, those that are open first.

import { h, keyed } from "../lib/dom.js";
import { current, t } from "../lib/words.js";
import { named, openness, trouble, watch } from "./ui.js";

const EVERY_S = 60;
const MANY = 8;

export class ShopsView {
	#list = h("ul", { class: "cards" });
	#empty = h("p", { class: "quiet" }, t("common.loading"));
	#find = h("input", { type: "search", id: "find-shop", oninput: () => this.#draw() });
	#finder = h("div", { hidden: true }, h("label", { for: "find-shop" }, t("order.find_shop")), this.#find);
	#strip = trouble(() => this.#reading.now());
	#shops = null;
	#reading;

	constructor(app) {
		this.app = app;
		this.element = h("div", { class: "stack" }, h("h1", { tabindex: "-1" }, t("order.shops")), this.#strip.element, this.#finder, this.#empty,
			this.#list);
		this.#reading = watch(() => this.#read(), EVERY_S, (problem) => {
			this.#strip.show(problem);
			if (problem && !this.#shops) this.#empty.textContent = "";
		});
	}

	title() {
		return t("order.shops");
	}
	leave() {
		this.#reading.stop();
	}

	async #read() {
		this.#shops = await this.app.data.readShops();
		this.#draw();
	}

	#draw() {
		if (!this.#shops) return;
		const { compare } = new Intl.Collator(current());
		const wanted = this.#find.value.trim().toLocaleLowerCase();
		const shown = this.#shops.filter((shop) => `${shop.name} ${shop.address ?? ""}`.toLocaleLowerCase().includes(wanted))
			.sort((a, b) => b.is_open - a.is_open || compare(a.name, b.name));
		this.#finder.hidden = this.#shops.length <= MANY;
		this.#empty.hidden = shown.length > 0;
		this.#empty.textContent = t("order.no_shops");
		keyed(this.#list, shown, (shop) => shop.id, makeCard, fillCard);
	}
}

function makeCard(shop) {
	const card = h("li", { class: "card" }, h("h2", {}, h("a", { href: `#/shop/${shop.id}` })));
	fillCard(card, shop);
	return card;
}

/** The link stays the same element, so that it keeps its focus. */
function fillCard(card, shop) {
	card.querySelector("a").replaceChildren(named(shop.name));
	for (const old of [...card.children].slice(1)) old.remove();
	card.append(openness(shop));
	if (shop.address) card.append(h("p", { class: "quiet lines" }, named(shop.address)));
}
