// basket.js - what somebody is about to order: a basket for each shop, kept in the browser. Pure but for the store that it is given.
// A basket: {lines: [{product_id, name, price, quantity, special_instructions}], when: "now" | "later", time, notes, photo: {url, user_id} | null, key}.
// key is what it is placed under. It is made with the basket, long before anybody places it: so two windows that place it at the same moment, neither of
// which can know of the other yet, do so under one key.

export const QUANTITY_MAX = 999;
export const LINES_MAX = 100;
export const NOTES_MAX = 1000;
export const WISH_MAX = 200;

/** Values that outlive the page, where the browser lets them; where it does not, they live as long as the page. */
export class Store {
	#storage;
	#here = new Map();
	constructor(storage) {
		this.#storage = storage;
	}
	/** What is here is newer than what is kept: it could not be put there. */
	get(name) {
		if (this.#here.has(name)) return this.#here.get(name);
		try {
			return JSON.parse(this.#storage.getItem(name));
		} catch {
			return null;
		}
	}
	/** The names that begin so. */
	names(prefix) {
		let kept = [];
		try {
			kept = Object.keys(this.#storage);
		} catch {
			// What is here is all.
		}
		return [...new Set([...kept, ...this.#here.keys()])].filter((name) => name.startsWith(prefix));
	}
	set(name, value) {
		try {
			if (value === null) this.#storage.removeItem(name);
			else this.#storage.setItem(name, JSON.stringify(value));
			this.#here.delete(name);
		} catch {
			this.#here.set(name, value);
		}
	}
}

export const emptyBasket = () => ({ lines: [], when: "now", time: null, notes: "", photo: null, key: null });

export const makeKey = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, "0")).join("");

const isLine = (line) =>
	Number.isSafeInteger(line?.product_id) && Number.isSafeInteger(line.quantity) && line.quantity > 0 && typeof line.price === "number";

/** The baskets of this browser. */
export class Baskets {
	constructor(store) {
		this.store = store;
	}
	/** A copy of what is kept: always a whole basket, whatever is kept there. */
	of(shopId) {
		const kept = this.store.get(`pickup.basket.${shopId}`);
		const basket = { ...emptyBasket(), ...(typeof kept === "object" ? kept : null) };
		return { ...basket, lines: Array.isArray(basket.lines) ? basket.lines.filter(isLine) : [] };
	}
	/** change(basket) gives the one that is kept from now on. It is given what is kept at this moment, as another tab may have changed it. */
	change(shopId, change) {
		const changed = change(this.of(shopId));
		const basket = { ...changed, key: changed.key ?? makeKey() };
		this.store.set(`pickup.basket.${shopId}`, isEmpty(basket) && basket.when === "now" && !basket.notes ? null : basket);
		return basket;
	}
	drop(shopId) {
		this.store.set(`pickup.basket.${shopId}`, null);
	}
}

export const isEmpty = (basket) => !basket.lines.length && !basket.photo;
export const quantityOf = (basket, productId) => basket.lines.find((line) => line.product_id === productId)?.quantity ?? 0;

/** The basket with so many of that product ({id, name, price}); none takes the line out. A further product than LINES_MAX is not taken. */
export function withQuantity(basket, product, quantity) {
	const wanted = Math.min(QUANTITY_MAX, Math.max(0, Math.trunc(quantity) || 0));
	const known = basket.lines.find((line) => line.product_id === product.id);
	if (!wanted) return { ...basket, lines: basket.lines.filter((line) => line !== known) };
	if (known) return { ...basket, lines: basket.lines.map((line) => (line === known ? { ...line, quantity: wanted } : line)) };
	if (basket.lines.length >= LINES_MAX) return basket;
	const line = { product_id: product.id, name: product.name, price: product.price, quantity: wanted, special_instructions: "" };
	return { ...basket, lines: [...basket.lines, line] };
}

export const withWish = (basket, productId, text) => ({
	...basket, lines: basket.lines.map((line) => (line.product_id === productId ? { ...line, special_instructions: text } : line)),
});

/** The basket with names and prices as the menu has them, and what is in the way: [{line, left}], left being null for what is not on sale any
 * more. */
export function compare(basket, menu) {
	const products = new Map(menu.map((product) => [product.id, product]));
	const troubles = [];
	const lines = basket.lines.map((line) => {
		const product = products.get(line.product_id);
		if (!product) troubles.push({ line, left: null });
		else if (product.stock !== null && product.stock < line.quantity) troubles.push({ line, left: product.stock });
		return product ? { ...line, name: product.name, price: product.price } : line;
	});
	return { basket: { ...basket, lines }, troubles };
}

/** In hundredths, so that nothing is lost in adding. */
const hundredths = (amount) => Math.round(amount * 100);
export const lineTotal = (line) => (hundredths(line.price) * line.quantity) / 100;
export const total = (basket) => basket.lines.reduce((sum, line) => sum + hundredths(line.price) * line.quantity, 0) / 100;
export const count = (basket) => basket.lines.reduce((sum, line) => sum + line.quantity, 0);

/** Text as the server takes it: without control characters but newline and tab, nothing but blanks is nothing. */
export function clean(text) {
	const cleaned = String(text ?? "").replace(/\r\n?/g, "\n").replace(/[^\P{Cc}\n\t]/gu, "").replace(/\p{Cs}/gu, "");
	return cleaned.trim() ? cleaned : null;
}

/** What is sent to place it. The photo goes along where it is that user's. */
export function bodyOf(basket, shopId, userId) {
	const body = { shop_id: shopId, order_type: basket.when === "later" ? "pre_order" : "instant" };
	if (basket.when === "later") body.scheduled_pickup_time = basket.time;
	const notes = clean(basket.notes);
	if (notes) body.order_notes = notes;
	if (basket.photo?.user_id === userId) body.list_image_url = basket.photo.url;
	if (basket.lines.length) body.items = basket.lines.map(itemOf);
	return body;
}

function itemOf({ product_id, quantity, special_instructions }) {
	const wish = clean(special_instructions);
	return { product_id, quantity, ...(wish && { special_instructions: wish }) };
}
