// door.js - who may come in, and to which shop: signing in, and the choice of a shop.

import { byId, ask, h, keyed } from "../lib/dom.js";
import { choose, current, languages, t, tell } from "../lib/words.js";
import { keep, kept } from "./keep.js";

const FOUND_MAX = 30;
const HELPED_MAX = 20;

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
const helpedKey = (session) => `helped.${session.who.user_id}`;

/** The shop that was chosen last by whoever is signed in, or null. */
export const lastShop = (session) => kept(shopKey(session));
export const forgetShop = (session) => keep(shopKey(session), null);

/** Not a shop of theirs. */
export function forgetHelped(session, id) {
	keep(
		helpedKey(session),
		kept(helpedKey(session), []).filter((other) => other !== id),
	);
}

/** A shop where they help is remembered, as no list tells of it. */
export function rememberShop(session, shop) {
	keep(shopKey(session), shop.id);
	if (shop.owner_id === session.who.user_id) return;
	keep(helpedKey(session), [shop.id, ...kept(helpedKey(session), []).filter((id) => id !== shop.id)].slice(0, HELPED_MAX));
}

/** Shows the shops to choose from: one's own, those where one helped before, and all others for who looks for one. onChoice(shop). */
export async function showShops(session, onChoice) {
	const place = byId("shops-found");
	place.replaceChildren(h("p", { role: "status" }, t("common.loading")));
	try {
		const shops = await session.all("/shops/?limit=200", 50);
		if (!session.who) return;
		const own = shops.filter((shop) => shop.owner_id === session.who.user_id);
		const helped = kept(helpedKey(session), [])
			.map((id) => shops.find((shop) => shop.id === id))
			.filter((shop) => shop && !own.includes(shop));
		place.replaceChildren(...choices(own, helped, shops, onChoice));
	} catch (problem) {
		place.replaceChildren(
			h("p", { class: "fault", role: "alert" }, tell(problem)),
			h("button", { type: "button", class: "go", onclick: () => showShops(session, onChoice) }, t("common.try_again")),
		);
	}
}

function choices(own, helped, all, onChoice) {
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
	const found = h("ul", { class: "stack" });
	const words = h("p", { class: "quiet", role: "status" });
	const search = h("input", { type: "search", autocomplete: "off", oninput: look });
	function look() {
		const text = search.value.trim().toLocaleLowerCase();
		const those =
			text.length < 2 ? [] : all.filter((shop) => shop.name.toLocaleLowerCase().includes(text) || String(shop.id) === text).slice(0, FOUND_MAX);
		keyed(
			found,
			those,
			(shop) => shop.id,
			choice,
			() => {},
		);
		words.textContent = text.length >= 2 && !those.length ? t("board.no_such_shop") : "";
	}
	return [
		h("h2", {}, t("board.mine")),
		own.length ? h("ul", { class: "stack" }, own.map(choice)) : h("p", {}, t("board.no_shops")),
		h("h2", {}, t("board.other_shops")),
		helped.length > 0 && h("ul", { class: "stack" }, helped.map(choice)),
		h("label", {}, t("board.which_shop_find"), search),
		words,
		found,
	].filter(Boolean);
}
