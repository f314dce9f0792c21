// ticket.js - an order on paper of 58 or 80 mm: number, customer, when, lines, notes.

import { h } from "../lib/dom.js";
import { clock, longDay, t, when } from "../lib/words.js";
import { totalOf } from "./card.js";
import { settings } from "./keep.js";

const MM = 96 / 25.4;
const sheet = { loading: null };

/** Settles when the tickets' style sheet is there; where it could not be had, it is asked for again next time. */
export function styled() {
	sheet.loading ??= new Promise((resolve) => {
		const link = h("link", { rel: "stylesheet", href: "ticket.css" });
		link.onload = resolve;
		link.onerror = () => {
			link.remove();
			sheet.loading = null;
			resolve();
		};
		document.head.append(link);
	});
	return sheet.loading;
}

/** Prints that order. place is the element that is printed and nothing else; photo is the address of its list's photo, or null. */
export async function print(place, order, desk, photo) {
	await styled();
	place.className = `paper-${settings.paper}`;
	place.replaceChildren(...contents(order, desk, photo).filter(Boolean));
	await Promise.all([...place.querySelectorAll("img")].map((image) => image.decode().catch(() => {})));
	// Paper from a roll is as long as what stands on it.
	place.classList.add("measured");
	const length = Math.ceil(place.scrollHeight / MM) + 8;
	place.classList.remove("measured");
	setPage(`@page { size: ${settings.paper}mm ${Math.max(length, settings.paper + 1)}mm; margin: 0; }`);
	window.print();
}

/** The browsers of older tablets can't be told the paper's size; there it is set by hand when printing. */
function setPage(text) {
	try {
		const page = new CSSStyleSheet();
		page.replaceSync(text);
		document.adoptedStyleSheets = [page];
	} catch {
		// As above.
	}
}

function contents(order, desk, photo) {
	const { shop, zone } = desk;
	const at = order.scheduled_pickup_time;
	return [
		h("p", { class: "shop" }, h("bdi", {}, shop.name)),
		h("p", { class: "number" }, `#${order.id}`),
		h("p", { class: "name" }, h("bdi", {}, order.customer_name)),
		order.order_type === "pre_order"
			? h(
					"div",
					{ class: "pre-order" },
					h("p", {}, t("common.pre_order").toLocaleUpperCase()),
					h("p", {}, longDay(at, zone)),
					h("p", { class: "clock" }, clock(at, zone)),
				)
			: h("p", { class: "kind" }, t("common.instant").toLocaleUpperCase()),
		order.status === "cancelled" && h("p", { class: "pre-order" }, t("common.cancelled").toLocaleUpperCase()),
		h(
			"ul",
			{},
			order.items.map((item) =>
				h(
					"li",
					{},
					h("b", {}, `${item.quantity} × `),
					h("bdi", {}, item.product_name),
					item.special_instructions && h("p", { class: "special" }, h("bdi", {}, item.special_instructions)),
				),
			),
		),
		order.has_chitty && h("p", {}, t("board.chitty")),
		photo && h("img", { src: photo, alt: "" }),
		order.order_notes && h("p", { class: "notes" }, h("bdi", {}, order.order_notes)),
		h("p", { class: "total" }, `${t("common.total")} ${totalOf(order, shop)}`),
		h("p", {}, t("board.placed", { time: when(order.created_at, zone) })),
	];
}
