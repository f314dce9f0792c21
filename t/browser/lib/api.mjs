// api.mjs - the public API, as a test uses it beside the pages: people, shops, products and orders of its own, so that no test disturbs another.
import { request } from "node:http";

let last = 0;
const run = String(process.pid % 1000000).padStart(6, "0");
/** A number that nobody in this run has yet. */
const phone = () => `+91${run}${String(++last).padStart(6, "0")}`;

/** Each on a connection of its own: fetch() would send a request on one that a reload or a kill of nginx is just closing. */
const send = (method, address, headers, body) => new Promise((resolve, reject) => {
	const asked = request(address, { method, headers, agent: false }, async (answer) => {
		try {
			const parts = await answer.setEncoding("utf8").toArray();
			resolve({ status: answer.statusCode, headers: answer.headers, text: parts.join("") });
		} catch (error) {
			reject(error);
		}
	});
	asked.once("error", reject).end(body);
});

export class Api {
	phone = phone;

	constructor(origin) {
		this.origin = origin;
		this.password = "a password for all";
	}

	/** {status, value, headers}, whatever the status. */
	async ask(method, path, { who, json, body, headers = {} } = {}) {
		const all = { ...headers, ...(who && { Authorization: `Bearer ${who.access_token}` }), ...(json !== undefined && { "Content-Type": "application/json" }) };
		const { status, text, headers: got } = await send(method, `${this.origin}/api/v1${path}`, all, json === undefined ? body : JSON.stringify(json));
		return { status, value: text && JSON.parse(text), headers: got };
	}

	/** The value of an answer that must be a success. */
	async call(method, path, options) {
		const answer = await this.ask(method, path, options);
		if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.value)}`);
		return answer.value;
	}

	/** Somebody who is signed in: what log-in answers, with full_name, phone_number and password. */
	async user(role = "customer", full_name = "Kiran Kumar") {
		const who = { full_name, phone_number: phone(), password: this.password };
		await this.call("POST", "/auth/register", { json: { ...who, role } });
		return { ...who, ...(await this.signIn(who)) };
	}

	signIn({ phone_number, password }) {
		return this.call("POST", "/auth/login", { json: { phone_number, password } });
	}

	/** A shop with a keeper of its own: the shop object, with keeper and products. products: what POST …/products takes, each; more: of the shop. */
	async shop({ products = [{ name: "Basmati rice", price: 60, unit: "kg" }], keeper, ...more } = {}) {
		keeper ??= await this.user("shopkeeper", "Asha Rao");
		const shop = await this.call("POST", "/shops/", { who: keeper, json: { name: "Corner Store", timezone: "Asia/Kolkata", currency: "INR", ...more } });
		shop.keeper = keeper;
		shop.products = [];
		for (const json of products) shop.products.push(await this.call("POST", `/shops/${shop.id}/products`, { who: keeper, json }));
		return shop;
	}

	order(customer, shop, more = {}) {
		const items = more.list_image_url ? [] : [{ product_id: shop.products[0].id, quantity: 2 }];
		return this.call("POST", "/orders/", { who: customer, json: { shop_id: shop.id, items, ...more } });
	}

	/** A placed order whose lines are a photo. */
	async chitty(customer, shop, photo, more = {}) {
		const { list_image_url } = await this.call("POST", "/uploads/", { who: customer, body: photo, headers: { "Content-Type": "image/png" } });
		return this.order(customer, shop, { list_image_url, ...more });
	}

	change(shop, order, json) {
		return this.call("PATCH", `/orders/${order.id}`, { who: shop.keeper, json });
	}

	setShop(shop, json) {
		return this.call("PATCH", `/shops/${shop.id}`, { who: shop.keeper, json });
	}

	read(who, order) {
		return this.call("GET", `/orders/${order.id}`, { who });
	}

	/** All orders of the shop, newest first. */
	orders(shop) {
		return this.call("GET", `/orders/shop/${shop.id}?limit=200`, { who: shop.keeper });
	}
}
