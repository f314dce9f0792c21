// goods.js - what the owner may do with the shop itself: pause it, and mark products as sold out.

import { ask, h, keyed } from "../lib/dom.js";
import { isolated, money, t, tell } from "../lib/words.js";

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
class Products {
	#known = new Map();
	#list = h("ul", { class: "products", onclick: (event) => this.#toggle(event) });
	#words = h("p", { role: "status" }, t("common.loading"));
	#search = h("input", { type: "search", autocomplete: "off", oninput: () => this.draw() });

	constructor(desk) {
		this.desk = desk;
	}

	content(done) {
		return h(
			"div",
			{ class: "stack" },
			h("h2", {}, t("board.products_title")),
			h("label", {}, t("board.products_search"), this.#search),
			this.#words,
			this.#list,
			h("button", { type: "button", onclick: () => done() }, t("common.close")),
		);
	}

	async read() {
		try {
			const found = await this.desk.session.all(`/shops/${this.desk.shop.id}/products?include_inactive=true&limit=200`, 50);
			for (const product of found) this.#known.set(product.id, product);
			this.#words.textContent = "";
		} catch (problem) {
			this.#words.textContent = tell(problem);
		}
		this.draw();
	}

	draw = () => {
		const text = this.#search.value.trim().toLocaleLowerCase();
		const found = [...this.#known.values()].filter((p) => p.name.toLocaleLowerCase().includes(text)).sort((a, b) => a.name.localeCompare(b.name));
		keyed(
			this.#list,
			found,
			(p) => p.id,
			(p) => this.#fill(h("li"), p),
			(row, p) => this.#fill(row, p),
		);
	};

	#fill(row, product) {
		const tap = this.desk.taps.of(`product:${product.id}`);
		const state = tap ? t(tap.isUnsaved ? "board.not_saved" : "board.saving") : t(product.is_active ? "board.on_sale" : "board.off_sale");
		// What is the same is left alone: a button that is made anew beneath a finger takes no tap.
		if (row.product === product && row.state === state) return row;
		Object.assign(row, { product, state });
		const left = product.stock === null ? "" : ` · ${t("board.stock_left", { n: product.stock })}`;
		const price = ` ${money(product.price, this.desk.shop.currency)}${left}`;
		const isFocused = row.contains(document.activeElement);
		row.replaceChildren(
			h("span", { class: "product" }, h("bdi", {}, product.name), h("span", { class: "quiet" }, price)),
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

	#toggle(event) {
		const button = event.target.closest("[data-product]");
		const product = button && this.#known.get(Number(button.dataset.product));
		if (!product) return;
		this.desk.taps.add({ key: `product:${product.id}`, path: `/products/${product.id}`, json: { is_active: !product.is_active } });
	}

	ended = ({ detail: { tap, result } }) => {
		if (!tap.key.startsWith("product:")) return;
		if (result.value) this.#known.set(result.value.id, result.value);
		this.#words.textContent = result.problem
			? tell(result.problem)
			: `${isolated(result.value.name)}: ${t(result.value.is_active ? "board.on_sale" : "board.off_sale")}`;
	};
}

export async function showProducts(desk) {
	const products = new Products(desk);
	desk.addEventListener("ended", products.ended);
	desk.addEventListener("change", products.draw);
	products.read();
	await ask(t("board.products_title"), (done) => products.content(done));
	desk.removeEventListener("ended", products.ended);
	desk.removeEventListener("change", products.draw);
}
