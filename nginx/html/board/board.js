// board.js - the shopkeeper's page: signing in, choosing a shop, the board; one of them is shown.

import { Session } from "../lib/api.js";
import { byId } from "../lib/dom.js";
import { load, t } from "../lib/words.js";
import { Badge } from "./badge.js";
import { Desk } from "./desk.js";
import { askRenewal, forgetHelped, forgetShop, lastShop, rememberShop, showShops, wireSignIn } from "./door.js";
import { askPause, showProducts } from "./goods.js";
import { settings } from "./keep.js";
import { Ring } from "./ring.js";
import { fillLanguages, showSettings } from "./setup.js";
import { View } from "./view.js";
import { Wake } from "./wake.js";

const page = {
	session: new Session("pickup.board"),
	ring: new Ring(settings.volume),
	wake: new Wake(),
	badge: new Badge(byId("icon")),
	desk: null,
	view: null,
	userId: null,
	isLeaving: false,
};

/** "sign-in", "shops" or "board". */
function show(name) {
	for (const id of ["sign-in", "shops", "board"]) byId(id).hidden = id !== name;
	byId("bar").hidden = name === "sign-in";
	byId("bar").classList.toggle("no-shop", name !== "board");
}

function alone(text) {
	const words = document.createElement("p");
	words.className = "note bad";
	words.setAttribute("role", "alert");
	words.textContent = text;
	byId("alerts").replaceChildren(words);
}

function closeDesk() {
	page.desk?.close();
	page.view?.close();
	for (const dialog of document.querySelectorAll("dialog")) dialog.close();
	page.desk = page.view = null;
	page.wake.stop();
	page.ring.play(null);
	document.documentElement.dataset.ringing = "";
}

function open(shop) {
	closeDesk();
	rememberShop(page.session, shop);
	show("board");
	byId("filters").reset();
	page.desk = new Desk(page.session, shop);
	page.desk.addEventListener("lost", lost);
	page.wake.start();
	page.view = new View(page.desk, {
		ring: page.ring,
		wake: page.wake,
		badge: page.badge,
		renew: () => askRenewal(page.session, () => page.ring.unlock()),
	});
	byId("main").focus({ preventScroll: true });
}

/** Not of this shop's people, or no more. */
function lost() {
	forgetShop(page.session);
	forgetHelped(page.session, page.desk.shop.id);
	choose();
	alone(t("board.missing_shop"));
}

function choose() {
	closeDesk();
	byId("alerts").replaceChildren();
	show("shops");
	page.badge.show(0, t("board.title"), false);
	showShops(page.session, open);
	byId("shops-title").focus();
}

function signedOut() {
	const wasAtWork = page.desk !== null;
	closeDesk();
	page.userId = null;
	byId("alerts").replaceChildren();
	show("sign-in");
	page.badge.show(0, t("board.title"), wasAtWork && !page.isLeaving);
	if (wasAtWork && !page.isLeaving) {
		alone(t("board.expired"));
		page.ring.play("lost");
		document.documentElement.dataset.ringing = "lost";
	}
	page.isLeaving = false;
	byId("sign-in").querySelector("input").focus();
}

/** Whoever is signed in sees the shop that they chose last, or the choice. */
async function enter() {
	page.userId = page.session.who.user_id;
	const id = lastShop(page.session);
	if (id === null) return choose();
	show("shops");
	byId("alerts").replaceChildren();
	byId("shops-found").replaceChildren(t("common.loading"));
	for (let isFirst = true; page.session.who?.user_id === page.userId && lastShop(page.session) === id && !page.desk; isFirst = false) {
		try {
			return open(await page.session.get(`/shops/${id}`));
		} catch (problem) {
			if (!problem.isPassing) return problem.status === 401 ? undefined : choose();
			if (isFirst) alone(t("board.unread"));
			await new Promise((resolve) => setTimeout(resolve, 2000));
		}
	}
}

function whoChanged() {
	if (!page.session.who) signedOut();
	else if (page.session.who.user_id !== page.userId) {
		closeDesk();
		enter();
	} else {
		page.desk?.changed();
	}
}

async function pause() {
	const { desk } = page;
	const change = await askPause(desk.shop, desk.now);
	if (change) desk.changeShop(change);
}

function wire() {
	page.session.addEventListener("change", whoChanged);
	wireSignIn(page.session, () => page.ring.unlock());
	byId("sign-out").onclick = () => {
		page.isLeaving = true;
		page.session.signOut();
	};
	byId("change-shop").onclick = () => {
		forgetShop(page.session);
		choose();
	};
	byId("settings").onclick = () => showSettings(page.ring);
	byId("products").onclick = () => showProducts(page.desk);
	byId("pause").onclick = pause;
	fillLanguages(byId("language"));
	// Somebody has come to the board that showed nothing any more.
	addEventListener("pointerdown", () => page.ring.playing === "lost" && page.ring.play(null));
	addEventListener("keydown", () => page.ring.playing === "lost" && page.ring.play(null));
}

await load();
wire();
if (page.session.who) enter();
else signedOut();
