// customer.mjs - what a customer does on the order page, by what is seen and read out.
import { until } from "./test.mjs";
import { w, within } from "./words.mjs";

/** The page of somebody who is signed in, at that place of it ("shop/1", "orders"). */
export const asCustomer = (scene, who, place = "", options = {}) => scene.open(`/order/#/${place}`, { kept: { "pickup.customer": who }, ...options });

export const button = (page, name, values) => page.getByRole("button", { name: w(name, values) });
export const link = (page, name, values) => page.getByRole("link", { name: w(name, values) });
export const field = (page, name, values) => page.getByLabel(w(name, values));
export const heading = (page, name, values) => page.getByRole("heading", { name: w(name, values) });

/** One more of a product on the menu or in the basket. */
export const more = (page, name) => button(page, "order.more", { name }).click();

export const toCheckout = (page) => page.locator("a.bar").click();

/** The button that places, whatever the basket costs. */
export const placing = (page) => page.getByRole("button", { name: new RegExp(`${w("order.place").source}|${w("order.place_for").source}`) });

/** Fills the dialog and sends it; the way there is the test's. */
export async function register(page, { full_name, phone_number, password }) {
	const dialog = page.getByRole("dialog");
	await dialog.getByRole("button", { name: w("order.no_account") }).click();
	await dialog.getByLabel(w("common.name")).fill(full_name);
	await dialog.getByLabel(w("common.phone")).fill(phone_number);
	await dialog.getByLabel(w("common.password")).fill(password);
	await dialog.getByRole("button", { name: w("order.register") }).click();
}

export async function signIn(page, { phone_number, password }) {
	const dialog = page.getByRole("dialog");
	await dialog.getByLabel(w("common.phone")).fill(phone_number);
	await dialog.getByLabel(w("common.password")).fill(password);
	await dialog.getByRole("button", { name: w("common.sign_in") }).click();
}

/** The page of an order is shown in that status; gives the order's id. */
export async function sees(page, status) {
	await page.waitForURL(/#\/order\/\d+$/);
	await page.getByText(w(`order.status.${status}`)).first().waitFor();
	return Number(page.url().split("/").at(-1));
}

/** The same, and its socket brought it. */
export async function hears(scene, page, status) {
	await until(() => scene.heard(page).some((frame) => frame.includes(`"status":"${status}"`)), `the socket to bring ${status}`);
	return sees(page, status);
}

/** What placing was answered with. */
export const news = (page, name, values) => page.locator("#news").getByText(within(name, values)).first();
