// photoview.js - the photo of a shopping list in the basket: chosen, shown, sent, taken out again.

import { h } from "../lib/dom.js";
import { t, tell } from "../lib/words.js";
import { prepare, upload } from "./photo.js";

export class PhotoChoice {
	#input = h("input", { type: "file", id: "photo", accept: "image/*", "aria-describedby": "photo-hint photo-state", onchange: () => this.#choose() });
	#image = h("img", { class: "photo", alt: t("order.photo_of_list"), hidden: true });
	#state = h("p", { id: "photo-state", role: "status" });
	#away = h("button", { type: "button", hidden: true, onclick: () => this.#takeAway() }, t("order.photo_remove"));
	/** Prepared, and not sent yet. */
	#blob = null;
	/** What #image shows: that, or the address of what was sent. */
	#shown = null;
	#sending = null;

	/** changed() hears of changes of the basket. */
	constructor(app, shopId, changed) {
		Object.assign(this, { app, shopId, changed });
		this.element = h("section", { class: "section stack", "aria-label": t("order.photo") }, h("h2", {}, t("order.photo")),
			h("p", { class: "quiet", id: "photo-hint" }, t("order.photo_hint")), h("label", { for: "photo" }, t("order.photo_choose")), this.#input,
			this.#image, this.#state, h("div", {}, this.#away));
	}

	leave() {
		this.#show(null, null);
	}
	/** Whether a photo waits for being sent. */
	get isWaiting() {
		return Boolean(this.#blob);
	}
	get #kept() {
		return this.app.baskets.of(this.shopId).photo;
	}
	#keep(photo) {
		this.app.baskets.change(this.shopId, (basket) => ({ ...basket, photo }));
		this.changed();
	}

	#show(what, address) {
		if (this.#image.src.startsWith("blob:")) URL.revokeObjectURL(this.#image.src);
		this.#shown = what;
		this.#image.hidden = !address;
		if (address) this.#image.src = address;
		else this.#image.removeAttribute("src");
	}

	async #choose() {
		const [file] = this.#input.files;
		if (!file) return;
		this.#forget();
		this.#state.textContent = t("order.photo_reading");
		const blob = await prepare(file);
		// Another one was chosen meanwhile.
		if (this.#input.files[0] !== file) return;
		if (!blob) {
			this.#input.value = "";
			this.#state.textContent = t("order.photo_bad");
			return;
		}
		this.#blob = blob;
		this.#show(blob, URL.createObjectURL(blob));
		this.changed();
		if (this.app.session.token) await this.send();
		else this.#state.textContent = t("order.photo_later");
	}

	#forget() {
		this.#blob = null;
		this.#show(null, null);
		this.#keep(null);
	}
	remove() {
		this.#input.value = "";
		this.#state.textContent = "";
		this.#forget();
	}
	#takeAway() {
		this.remove();
		this.#input.focus();
	}

	/** Gives whether nothing waits any more. What can't be sent stays, for another try; tellNews hears why. */
	async send(tellNews) {
		if (!this.#blob) return this.#isOwn(tellNews);
		this.#sending ??= this.#upload(this.#blob).finally(() => { this.#sending = null; });
		if (await this.#sending) return this.send(tellNews);
		tellNews?.([this.#state.textContent]);
		return false;
	}

	async #upload(blob) {
		this.#state.textContent = t("order.photo_sending");
		try {
			const photo = await upload(this.app.session, blob);
			// Another one was chosen meanwhile, or none.
			if (this.#blob !== blob) return true;
			this.#blob = null;
			this.#shown = photo.url;
			this.#state.textContent = t("order.photo_sent");
			this.#keep(photo);
			return true;
		} catch (problem) {
			this.#state.textContent = `${t("order.photo_failed")} ${reason(problem)}`;
			return false;
		}
	}

	/** One that another account sent serves nobody else's order. */
	#isOwn(tellNews) {
		if (!this.#kept || this.#kept.user_id === this.app.session.who?.user_id) return true;
		this.remove();
		tellNews?.([t("order.photo_of_other")]);
		return false;
	}

	/** After a reload what was sent is shown again, to whom it belongs. */
	async draw() {
		const photo = this.#kept;
		const isOwn = photo?.user_id === this.app.session.who?.user_id;
		this.#away.hidden = !photo && !this.#blob;
		if (this.#blob) return;
		if (!photo || !isOwn) {
			if (this.#shown) this.#show(null, null);
		} else if (this.#shown !== photo.url) {
			this.#shown = photo.url;
			const address = await this.app.session.photo(photo.url).catch(() => null);
			if (this.#shown === photo.url && !this.#blob) this.#show(photo.url, address);
			this.#state.textContent = t("order.photo_sent");
		}
	}
}

function reason(problem) {
	if (problem.code === "validation_failed") return t("order.photo_bad");
	if (problem.code === "rate_limited") return t("order.photo_many");
	return tell(problem);
}
