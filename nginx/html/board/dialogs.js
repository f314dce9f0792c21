// dialogs.js - what is asked before a step: minutes, a reason, a price; and the photo, as large as the screen.

import { ask, h } from "../lib/dom.js";
import { isolated, t } from "../lib/words.js";
import { minutesOf, priceOf } from "./inputs.js";

const MINUTES = [5, 10, 15, 20, 25, 30, 40, 50, 60, 90];

const close = (done) => h("button", { type: "button", onclick: () => done() }, t("common.close"));

/** A field that says what is wrong with it, and a button that gives its value to done. */
function field({ label, attributes, read, fault, button }, done) {
	const words = h("p", { class: "fault", id: "field-fault", role: "alert" });
	const input = h("input", { autocomplete: "off", "aria-describedby": "field-fault", ...attributes });
	const submit = (event) => {
		event.preventDefault();
		const value = read(input.value);
		if (value !== null) return done(value);
		input.setAttribute("aria-invalid", "true");
		words.textContent = fault;
		input.focus();
	};
	return h(
		"form",
		{ class: "stack", novalidate: true, onsubmit: submit },
		h("label", {}, label, input),
		words,
		h("button", { class: "go" }, button),
	);
}

/** Minutes; null for none, where that may be; undefined where it was closed. */
export function askMinutes(order, mayHaveNone) {
	const title = t("board.minutes_title", { id: order.id });
	return ask(title, (done) =>
		h(
			"div",
			{ class: "stack" },
			h("h2", {}, title),
			h(
				"div",
				{ class: "choices" },
				MINUTES.map((n) => h("button", { type: "button", class: "go", onclick: () => done(n) }, t("board.minutes_choice", { n }))),
			),
			mayHaveNone && h("button", { type: "button", onclick: () => done(null) }, t("board.minutes_none")),
			field(
				{
					label: t("board.minutes_own"),
					attributes: { inputmode: "numeric", maxlength: "4" },
					read: minutesOf,
					fault: t("board.minutes_own"),
					button: t("common.save"),
				},
				done,
			),
			close(done),
		),
	);
}

/** The price of a list; undefined where it was closed. */
export function askPrice(order, currency) {
	const title = t("board.price_title", { id: order.id });
	return ask(title, (done) =>
		h(
			"div",
			{ class: "stack" },
			h("h2", {}, title),
			field(
				{
					label: t("board.price_label", { currency }),
					attributes: { inputmode: "decimal", maxlength: "12" },
					read: priceOf,
					fault: t("board.price_bad"),
					button: t("common.save"),
				},
				done,
			),
			close(done),
		),
	);
}

/** Why it is cancelled, "" for no reason; undefined where it is not cancelled. */
export function askReason(order) {
	const title = t("board.cancel_title", { id: order.id, name: isolated(order.customer_name) });
	return ask(title, (done) => {
		const own = h("textarea", { maxlength: "200", rows: "2" });
		const choices = ["sold_out", "busy", "closing"].map((name) =>
			h("label", {}, h("input", { type: "radio", name: "reason", value: t(`board.reason_${name}`) }), t(`board.reason_${name}`)),
		);
		const form = h(
			"form",
			{ class: "stack", onsubmit: submit },
			h("h2", {}, title),
			h("fieldset", {}, h("legend", {}, t("board.reason_title")), choices),
			h("label", {}, t("board.reason_own"), own),
			h(
				"div",
				{ class: "row" },
				h("button", { class: "bad" }, t("board.cancel")),
				h("button", { type: "button", onclick: () => done() }, t("common.back")),
			),
		);
		function submit(event) {
			event.preventDefault();
			done(own.value.trim() || new FormData(form).get("reason") || "");
		}
		return form;
	});
}

/** The photo in full; a tap shows it larger than the screen and back. */
export function showPhoto(order, photos) {
	const title = t("board.photo_of", { id: order.id });
	return ask(title, (done) => {
		const place = h("div", { class: "photo-place" }, h("p", { role: "status" }, t("common.loading")));
		photos.get(order.list_image_url).then(
			(address) => {
				const zoom = h(
					"button",
					{ type: "button", class: "zoom", "aria-pressed": "false", "aria-label": t("board.photo_enlarge"), onclick: larger },
					h("img", { src: address, alt: title }),
				);
				function larger() {
					zoom.setAttribute("aria-pressed", String(place.classList.toggle("large")));
				}
				place.replaceChildren(zoom);
			},
			() => place.replaceChildren(h("p", { class: "fault", role: "alert" }, t("board.photo_fails"))),
		);
		return h("div", { class: "stack photo-dialog" }, place, close(done));
	});
}
