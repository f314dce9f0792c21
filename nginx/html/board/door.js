// door.js - who may come in, and to which shop: signing in, and the choice of a shop.

import { byId, ask, h } from "../lib/dom.js";
import { choose, current, languages, t, tell } from "../lib/words.js";
import { keep, kept } from "./keep.js";

/** A choice of languages; another one loads the page anew. */
export function fillLanguages(select) {
	select.replaceChildren(...Object.entries(languages).map(([code, name]) => h("option", { value: code, lang: code }, name)));
	select.value = current();
	select.addEventListener("change", () => choose(select.value));
}

/** The form that signs in; says why where it doesn't. onTouch: called while somebody's tap is still being answered, as sound needs that. */
export function wireSignIn(session, onTouch) {
	const form = byId("sign-in").querySelector("form");
	const fault = form.querySelector(".fault");
	form.addEventListener("submit", async (event) => {
		event.preventDefault();
		onTouch();
		const button = form.querySelector("button");
		button.disabled = true;
		fault.hidden = true;
		try {
			await session.signIn(form.elements.phone_number.value.trim(), form.elements.password.value);
			form.elements.password.value = "";
		} catch (problem) {
			fault.textContent = tell(problem);
			fault.hidden = false;
		}
		button.disabled = false;
		if (!fault.hidden) form.elements.password.focus();
	});
}

/** Signs the same person in anew before their time is over; the board stays as it is. */
export function askRenewal(session, onTouch) {
	return ask(t("board.renew"), (done) => {
		const password = h("input", { type: "password", autocomplete: "current-password", required: true });
		const fault = h("p", { class: "fault", role: "alert" });
		async function submit(event) {
			event.preventDefault();
			onTouch();
			try {
				await session.signIn(session.who.phone_number, password.value);
				done(true);
			} catch (problem) {
				fault.textContent = tell(problem);
				password.focus();
			}
		}
		return h(
			"form",
			{ class: "stack", onsubmit: submit },
			h("h2", {}, t("board.renew")),
			h("input", {
				type: "text",
				class: "unseen",
				autocomplete: "username",
				value: session.who.phone_number,
				readonly: true,
				tabindex: "-1",
				"aria-hidden": "true",
			}),
			h("label", {}, t("common.password"), password),
			fault,
			h(
				"div",
				{ class: "row" },
				h("button", { class: "go" }, t("common.sign_in")),
				h("button", { type: "button", onclick: () => done() }, t("common.back")),
			),
		);
	});
}

const shopKey = (session) => `shop.${session.who.user_id}`;

/** The shop that was chosen last by whoever is signed in, or null. */
export const lastShop = (session) => kept(shopKey(session));
export const forgetShop = (session) => keep(shopKey(session), null);
export const rememberShop = (session, shop) => keep(shopKey(session), shop.id);

/** Shows the shops to choose from: one's own, and those that let one in. onChoice(shop). */
export async function showShops(session, onChoice) {
	const place = byId("shops-found");
	place.replaceChildren(h("p", { role: "status" }, t("common.loading")));
	try {
		const shops = (await session.all("/shops/me?limit=200")).filter((shop) => shop.is_active);
		if (!session.who) return;
		place.replaceChildren(...choices(shops, session.who.user_id, onChoice));
	} catch (problem) {
		place.replaceChildren(
			h("p", { class: "fault", role: "alert" }, tell(problem)),
			h("button", { type: "button", class: "go", onclick: () => showShops(session, onChoice) }, t("common.try_again")),
		);
	}
}

function choices(shops, userId, onChoice) {
	const choice = (shop) =>
		h(
			"li",
			{},
			h(
				"button",
				{ type: "button", class: "shop", onclick: () => onChoice(shop) },
				h("bdi", {}, shop.name),
				shop.address && h("span", { class: "quiet" }, shop.address),
			),
		);
	const list = (words, those) => (those.length ? [h("h2", {}, t(words)), h("ul", { class: "stack" }, those.map(choice))] : []);
	if (!shops.length) return [h("p", {}, t("board.no_shops"))];
	return [
		...list("board.mine", shops.filter((shop) => shop.owner_id === userId)),
		...list("board.other_shops", shops.filter((shop) => shop.owner_id !== userId)),
	];
}
