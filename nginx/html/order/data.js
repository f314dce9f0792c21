// data.js - what is public: shops, menus, slots. Read without a token, so that one that has ended is in nobody's way.

import { request } from "../lib/api.js";
import { SHOPS } from "./start.js";

/** A list with all its pages. */
async function all(path, pages = 20) {
	const found = [];
	for (let next = path; next && pages-- > 0; ) {
		const answer = await request("GET", next);
		found.push(...answer.value);
		next = answer.next;
	}
	return found;
}

export class Data {
	#shops = new Map();
	#asked = new Map();

	async readShops() {
		const shops = await all(SHOPS);
		for (const shop of shops) this.#shops.set(shop.id, shop);
		return shops;
	}
	async readShop(id) {
		const shop = (await request("GET", `/shops/${id}`)).value;
		this.#shops.set(id, shop);
		return shop;
	}
	/** As it was last read. */
	shop(id) {
		return this.#shops.get(id);
	}
	/** Read once, for its name, zone and currency; undefined where it can't be (a closed-down shop's orders are still shown). */
	async known(id) {
		if (!this.#shops.has(id)) {
			if (!this.#asked.has(id)) this.#asked.set(id, this.readShop(id).catch(() => undefined).finally(() => this.#asked.delete(id)));
			await this.#asked.get(id);
		}
		return this.#shops.get(id);
	}
	menu(shopId) {
		return all(`/shops/${shopId}/products?limit=200`);
	}
	/** The slots of one of the shop's days; null where the shop has none. */
	async slots(shopId, date) {
		try {
			return (await request("GET", `/shops/${shopId}/slots?date=${date}`)).value;
		} catch (problem) {
			if (problem.code === "no_slots") return null;
			throw problem;
		}
	}
}
