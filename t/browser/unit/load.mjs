// load.mjs - the pages' modules, as node takes them: a copy that says it is of modules.
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

export const html = fileURLToPath(new URL("../../../nginx/html", import.meta.url));
const copy = mkdtempSync(join(tmpdir(), "pickup-html-"));
cpSync(html, copy, { recursive: true });
writeFileSync(join(copy, "package.json"), '{"type":"module"}');
process.on("exit", () => rmSync(copy, { recursive: true, force: true }));

/** load("board/store.js") */
export const load = (path) => import(pathToFileURL(join(copy, path)).href);

/** An order as the API gives it. */
export const order = (members = {}) => ({
	id: 1,
	shop_id: 1,
	customer_id: 9,
	customer_name: "Kiran Kumar",
	order_type: "instant",
	status: "pending",
	scheduled_pickup_time: null,
	estimated_preparation_minutes: null,
	total_amount: 60,
	order_notes: null,
	list_image_url: null,
	has_chitty: false,
	item_count: 1,
	items: [{ id: 257, product_id: 1, product_name: "Basmati rice", quantity: 1, price_at_time_of_order: 60, special_instructions: null }],
	version: 1,
	created_at: "2030-02-24T10:00:00+00:00",
	updated_at: "2030-02-24T10:00:00+00:00",
	accept_by: null,
	cancelled_by: null,
	cancel_reason: null,
	...members,
});

/** A clock and timers that go on only by tick(ms), which waits for what follows from them. */
export class Time {
	#at = Date.parse("2030-02-24T10:00:00Z");
	#timers = new Map();
	#last = 0;
	now = () => this.#at;
	setTimer = (f, pause) => {
		this.#timers.set(++this.#last, { at: this.#at + pause, f });
		return this.#last;
	};
	clearTimer = (id) => this.#timers.delete(id);
	get parts() {
		return { now: this.now, steady: this.now, setTimer: this.setTimer, clearTimer: this.clearTimer };
	}
	async tick(ms = 0) {
		const end = this.#at + ms;
		for (;;) {
			await new Promise(setImmediate);
			const due = [...this.#timers].filter(([, t]) => t.at <= end).sort(([, a], [, b]) => a.at - b.at)[0];
			if (!due) break;
			this.#timers.delete(due[0]);
			this.#at = Math.max(this.#at, due[1].at);
			due[1].f();
		}
		this.#at = end;
	}
	/** The machine slept: no timer ran. */
	sleep(ms) {
		this.#at += ms;
	}
}
