// shops.js - the first view: all shops, those that are open first.

import { h, keyed } from "../lib/dom.js";
import { current, t } from "../lib/words.js";
import { named, openness, trouble, watch } from "./ui.js";

const EVERY_S = 60;
const MANY = 8;

export function shopsView(app) {
	const list = h("ul", { class: "cards" });
	const empty = h("p", { class: "quiet" }, t("common.loading"));
	const find = h("input", { type: "search", id: "find-shop", oninput: draw });
	const finder = h("div", { hidden: true }, h("label", { for: "find-shop" }, t("order.find_shop")), find);
	const strip = trouble(() => reading.now());
	let shops = [];

	function draw() {
		const compare = new Intl.Collator(current()).compare;
		const wanted = find.value.trim().toLocaleLowerCase();
		const shown = shops.filter((shop) => `${shop.name} ${shop.address ?? ""}`.toLocaleLowerCase().includes(wanted))
			.sort((a, b) => b.is_open - a.is_open || compare(a.name, b.name));
		finder.hidden = shops.length <= MANY;
		empty.hidden = shown.length > 0;
		empty.textContent = t("order.no_shops");
		keyed(list, shown, (shop) => shop.id, (shop) => fill(h("li", { class: "card" }), shop), fill);
	}

	const reading = watch(async () => {
		shops = await app.data.readShops();
		draw();
	}, EVERY_S, (problem) => {
		strip.show(problem);
		if (problem && !shops.length) empty.textContent = "";
	});
	const element = h("div", { class: "stack" }, h("h1", { tabindex: "-1" }, t("order.shops")), strip.element, finder, empty, list);
	return { element, title: () => t("order.shops"), leave: reading.stop };
}

function fill(card, shop) {
	// The link stays the same element, so that it keeps its focus.
	const link = card.querySelector("a") ?? h("a", { href: `#/shop/${shop.id}` });
	link.replaceChildren(named(shop.name));
	if (!link.parentElement) card.append(h("h2", {}, link));
	for (const old of [...card.children].slice(1)) old.remove();
	card.append(openness(shop));
	if (shop.address) card.append(h("p", { class: "quiet lines" }, named(shop.address)));
	return card;
}
