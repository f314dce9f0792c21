// goods.js - what the owner may do with the shop itself: pause it, and mark products as sold out.

import { ask, h, keyed } from "../lib/dom.js";
import { money, t, tell } from "../lib/words.js";

const PAUSES = [15, 30, 60, 120, 240];

/** What to change of the shop, or undefined where the pause was not begun. serverNow: ms. */
export function askPause(shop, serverNow) {
	const title = t("board.pause");
	return ask(title, (done) => {
		const choice = (n, i) =>
			h("label", {}, h("input", { type: "radio", name: "minutes", value: n, checked: i === 1 }), t("board.minutes_choice", { n }));
		const reason = h("input", { maxlength: "200", autocomplete: "off", value: shop.pause_reason ?? "" });
		const isTaking = h("input", { type: "checkbox", checked: shop.pre_orders_while_paused });
		const form = h(
			"form",
			{ class: "stack", onsubmit: submit },
			h("h2", {}, title),
			h("fieldset", {}, h("legend", {}, t("board.pause_for")), PAUSES.map(choice)),
			h("label", {}, t("board.pause_reason"), reason),
			h("label", {}, isTaking, t("board.pause_pre_orders")),
			h(
				"div",
				{ class: "row" },
				h("button", { class: "go" }, t("board.pause_start")),
				h("button", { type: "button", onclick: () => done() }, t("common.back")),
			),
		);
		function submit(event) {
			event.preventDefault();
			const until = serverNow() + Number(new FormData(form).get("minutes")) * 60000;
			done({ paused_until: new Date(until).toISOString(), pause_reason: reason.value.trim() || null, pre_orders_while_paused: isTaking.checked });
		}
		return form;
	});
}

/** The shop's products with a switch each. Shown is what the server has answered; what has no answer yet is called so. */
export async function showProducts(desk) {
	const title = t("board.products_title");
	const products = new Map();
	const list = h("ul", { class: "products" });
	const words = h("p", { role: "status" }, t("common.loading"));
	const search = h("input", { type: "search", autocomplete: "off", oninput: draw });

	function draw() {
		const text = search.value.trim().toLocaleLowerCase();
		const found = [...products.values()].filter((p) => p.name.toLocaleLowerCase().includes(text)).sort((a, b) => a.name.localeCompare(b.name));
		keyed(
			list,
			found,
			(p) => p.id,
			(p) => fill(h("li"), p),
			fill,
		);
	}
	function fill(row, product) {
		const tap = desk.taps.of(`product:${product.id}`);
		const state = tap ? t(tap.isUnsaved ? "board.not_saved" : "board.saving") : t(product.is_active ? "board.on_sale" : "board.off_sale");
		const left = product.stock === null ? "" : ` · ${t("board.stock_left", { n: product.stock })}`;
		const isFocused = row.contains(document.activeElement);
		row.replaceChildren(
			h(
				"span",
				{ class: "product" },
				h("bdi", {}, product.name),
				h("span", { class: "quiet" }, ` ${money(product.price, desk.shop.currency)}${left}`),
			),
			h("span", { class: product.is_active && !tap ? "state" : "state fault" }, state),
			h(
				"button",
				{ type: "button", "data-product": product.id, "aria-disabled": tap && "true" },
				t(product.is_active ? "board.put_off_sale" : "board.back_on_sale"),
				h("span", { class: "unseen" }, ` ${product.name}`),
			),
		);
		if (isFocused) row.querySelector("button").focus();
		return row;
	}
	function toggle(event) {
		const button = event.target.closest("[data-product]");
		const product = button && products.get(Number(button.dataset.product));
		if (!product) return;
		desk.taps.add({ key: `product:${product.id}`, path: `/products/${product.id}`, json: { is_active: !product.is_active } });
	}
	function ended({ detail: { tap, result } }) {
		if (!tap.key.startsWith("product:")) return;
		if (result.value) products.set(result.value.id, result.value);
		words.textContent = result.problem
			? tell(result.problem)
			: `${result.value.name}: ${t(result.value.is_active ? "board.on_sale" : "board.off_sale")}`;
	}
	async function read() {
		try {
			const found = await desk.session.all(`/shops/${desk.shop.id}/products?include_inactive=true&limit=200`, 50);
			for (const product of found) products.set(product.id, product);
			words.textContent = "";
		} catch (problem) {
			words.textContent = tell(problem);
		}
		draw();
	}
	list.addEventListener("click", toggle);
	desk.addEventListener("ended", ended);
	desk.addEventListener("change", draw);
	read();
	await ask(title, (done) =>
		h(
			"div",
			{ class: "stack" },
			h("h2", {}, title),
			h("label", {}, t("board.products_search"), search),
			words,
			list,
			h("button", { type: "button", onclick: () => done() }, t("common.close")),
		),
	);
	desk.removeEventListener("ended", ended);
	desk.removeEventListener("change", draw);
}
