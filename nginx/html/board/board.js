// board.js - the shopkeeper's page: signing in, choosing a shop, the board; one of them is shown. What a board needs comes beside it (desk.js, view.js), what can
// wait comes afterwards (more.js).

import { Problem, Session } from "../lib/api.js";
import { byId, h } from "../lib/dom.js";
import { load, t, tell } from "../lib/words.js";
import { Badge } from "./badge.js";
import { askRenewal, fillLanguages, forgetShop, lastShop, rememberShop, showShops, wireSignIn } from "./door.js";
import { settings } from "./keep.js";
import { Ring } from "./ring.js";
import { Wake } from "./wake.js";

const AGAIN_MS = 2000;
const BEHIND_MS = 500;

const session = new Session("pickup.board");
const words = load();
/** null where they could not be had. */
const work = Promise.all([import("./desk.js"), import("./view.js")]).catch(() => null);

const page = {
	session,
	ring: new Ring(settings.volume),
	wake: new Wake(),
	badge: new Badge(byId("icon")),
	desk: null,
	view: null,
	userId: null,
	isLeaving: false,
};

/** Calls f with more.js; it is there but in the first moments of a page. */
async function more(f) {
	try {
		f(await import("./more.js"));
	} catch (error) {
		const text = tell(error instanceof TypeError ? new Problem(0) : error);
		if (page.desk) page.desk.notify(text);
		else alone(text);
	}
}

function fetchMore() {
	import("./more.js").catch(() => setTimeout(fetchMore, AGAIN_MS));
}

/** What nobody waits for who waits for the page. */
function behind() {
	page.ring.start();
	fetchMore();
}

/** "sign-in", "shops", "board"; or nothing yet. */
function show(name) {
	for (const id of ["sign-in", "shops", "board"]) byId(id).hidden = id !== name;
	byId("bar").hidden = name === "sign-in";
	byId("bar").classList.toggle("no-shop", name !== "board");
}

function alone(text) {
	byId("alerts").replaceChildren(h("p", { class: "note bad", role: "alert" }, text));
}

/** Parts of the page that could not be loaded: the browser may keep that, so the page is loaded anew. What was tapped is kept. */
function missing() {
	show("");
	alone(tell(new Problem(0)));
	byId("alerts").append(h("button", { type: "button", class: "go", onclick: () => location.reload() }, t("common.try_again")));
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

async function open(shop) {
	const parts = await work;
	if (!parts) return missing();
	const [{ Desk }, { View }] = parts;
	if (page.desk || page.session.who?.user_id !== page.userId) return;
	rememberShop(page.session, shop);
	show("board");
	byId("alerts").replaceChildren();
	byId("filters").reset();
	page.desk = new Desk(page.session, shop);
	page.desk.addEventListener("lost", lost);
	page.wake.start();
	const renew = () => askRenewal(page.session, () => page.ring.unlock());
	page.view = new View(page.desk, { ring: page.ring, wake: page.wake, badge: page.badge, renew, more });
	// In the next frame, as it has the page laid out.
	requestAnimationFrame(() => byId("main").focus({ preventScroll: true }));
}

/** Not of this shop's people, or no more. */
function lost() {
	forgetShop(page.session);
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
	show("");
	byId("alerts").replaceChildren();
	while (page.session.who?.user_id === page.userId && lastShop(page.session) === id && !page.desk) {
		try {
			return await open(await page.session.get(`/shops/${id}`));
		} catch (problem) {
			if (!problem.isPassing) return problem.status === 401 ? undefined : choose();
			show("shops");
			byId("shops-found").replaceChildren(t("common.loading"));
			alone(t("board.unread"));
			await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
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

async function pause({ askPause }) {
	const { desk } = page;
	const change = await askPause(desk.shop, desk.now);
	if (change) desk.changeShop(change);
}

function wire() {
	page.session.addEventListener("change", whoChanged);
	byId("sign-out").onclick = () => {
		page.isLeaving = true;
		page.session.signOut();
	};
	byId("change-shop").onclick = () => {
		forgetShop(page.session);
		choose();
	};
	byId("settings").onclick = () => more(({ showSettings }) => showSettings(page.ring));
	byId("products").onclick = () => more(({ showProducts }) => showProducts(page.desk));
	byId("pause").onclick = () => more(pause);
	fillLanguages(byId("language"));
	// Somebody has come to the board that showed nothing any more.
	for (const event of ["pointerdown", "keydown"]) addEventListener(event, () => page.ring.playing === "lost" && page.ring.play(null));
}

async function begin() {
	wireSignIn(page.session, () => page.ring.unlock());
	if (!page.session.who) show("sign-in");
	await words;
	wire();
	if (page.session.who) await enter();
	else signedOut();
	setTimeout(behind, BEHIND_MS);
}

await begin();
