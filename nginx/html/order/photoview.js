// photoview.js - the photo of a shopping list in the basket: chosen, shown, sent, taken out again.

import { h } from "../lib/dom.js";
import { t, tell } from "../lib/words.js";
import { prepare, upload } from "./photo.js";

/** The choice as an element. changed() hears of changes. isWaiting(): whether a photo waits for being sent; send(tellNews) gives whether nothing does any more. */
export function photoChoice(app, shopId, changed) {
	const input = h("input", { type: "file", id: "photo", accept: "image/*", "aria-describedby": "photo-hint photo-state", onchange: () => choose(input.files[0]) });
	const image = h("img", { class: "photo", alt: t("order.photo_of_list"), hidden: true });
	const state = h("p", { id: "photo-state", role: "status" });
	const away = h("button", { type: "button", hidden: true, onclick: () => { remove(); input.focus(); } }, t("order.photo_remove"));
	const element = h("section", { class: "section stack", "aria-label": t("order.photo") }, h("h2", {}, t("order.photo")),
		h("p", { class: "quiet", id: "photo-hint" }, t("order.photo_hint")), h("label", { for: "photo" }, t("order.photo_choose")), input, image, state, h("div", {}, away));
	/** Prepared, and not sent yet. */
	let blob = null;
	let shown = null;

	function show(key, address) {
		if (image.src.startsWith("blob:")) URL.revokeObjectURL(image.src);
		shown = key;
		image.hidden = !address;
		if (address) image.src = address;
		else image.removeAttribute("src");
	}

	async function choose(file) {
		if (!file) return;
		forget();
		state.textContent = t("order.photo_reading");
		const prepared = await prepare(file);
		if (!prepared) {
			state.textContent = t("order.photo_bad");
			input.value = "";
			return;
		}
		blob = prepared;
		show(blob, URL.createObjectURL(blob));
		if (app.session.token) await send();
		else state.textContent = t("order.photo_later");
		changed();
	}

	function forget() {
		blob = null;
		app.baskets.change(shopId, (basket) => ({ ...basket, photo: null }));
		show(null, null);
		changed();
	}
	function remove() {
		forget();
		input.value = "";
		state.textContent = "";
	}

	/** What can't be sent stays, for another try. */
	async function send(tellNews) {
		if (!blob) return isOwn(tellNews);
		const sent = blob;
		state.textContent = t("order.photo_sending");
		try {
			const photo = await upload(app.session, sent);
			if (blob !== sent) return true;
			blob = null;
			shown = photo.url;
			app.baskets.change(shopId, (basket) => ({ ...basket, photo }));
			state.textContent = t("order.photo_sent");
			return true;
		} catch (problem) {
			state.textContent = `${t("order.photo_failed")} ${reason(problem)}`;
			tellNews?.([state.textContent]);
			return false;
		}
	}

	/** One that another account sent serves nobody else's order. */
	function isOwn(tellNews) {
		const { photo } = app.baskets.of(shopId);
		if (!photo || photo.user_id === app.session.who?.user_id) return true;
		remove();
		tellNews?.([t("order.photo_of_other")]);
		return false;
	}

	/** After a reload: what was sent is shown again. */
	async function update() {
		const { photo } = app.baskets.of(shopId);
		away.hidden = !photo && !blob;
		const isOwn = photo?.user_id === app.session.who?.user_id;
		if (!blob && shown && !(photo && isOwn)) return show(null, null);
		if (!photo || blob || shown === photo.url || !isOwn) return undefined;
		shown = photo.url;
		const address = await app.session.photo(photo.url).catch(() => null);
		if (shown === photo.url && !blob) show(photo.url, address);
		state.textContent = t("order.photo_sent");
		return undefined;
	}
	return { element, update, remove, send, isWaiting: () => Boolean(blob), leave: () => show(null, null) };
}

function reason(problem) {
	if (problem.code === "validation_failed") return t("order.photo_bad");
	if (problem.code === "rate_limited") return t("order.photo_many");
	return tell(problem);
}
