// live.js - a channel of notifications that misses nothing. The rule: subscribe, wait for open, read what came after the last number seen, drop what was
// seen already; and read that slowly all the time, as a net under the rest.

const NET_MS = 30000;
const PAUSE_MIN_MS = 500;
const PAUSE_MAX_MS = 15000;
const SILENCE_MS = 60000;

/** states: "connecting", "live", "offline". Events: "message" (detail: the notification), "state", "resync" (older than what is kept: read everything anew). */
export class Live extends EventTarget {
	#socket = null;
	#failures = 0;
	#timer = 0;
	#net = 0;
	#isCatching = false;
	#held = [];
	#isWanted = true;

	/** kind: "shop" or "customer". last: the number of the last notification that is known already, or null for all from now on. */
	constructor(session, kind, id, last = null) {
		super();
		Object.assign(this, { session, kind, id, last, state: "connecting", heardAt: 0 });
		this.#net = setInterval(() => this.#catchUp(), NET_MS);
		addEventListener("online", this.#hurry);
		addEventListener("pageshow", this.#hurry);
		document.addEventListener("visibilitychange", this.#hurry);
		this.#open();
	}

	close() {
		this.#isWanted = false;
		clearInterval(this.#net);
		clearTimeout(this.#timer);
		removeEventListener("online", this.#hurry);
		removeEventListener("pageshow", this.#hurry);
		document.removeEventListener("visibilitychange", this.#hurry);
		this.#socket?.close();
	}

	/** Somebody is back: what is open may be dead without having said so. */
	#hurry = () => {
		if (document.hidden) return;
		this.#failures = 0;
		if (!this.#socket) this.#again(0);
		else this.#catchUp();
	};

	#become(state) {
		if (this.state === state) return;
		this.state = state;
		this.dispatchEvent(new Event("state"));
	}

	#again(pause) {
		clearTimeout(this.#timer);
		this.#timer = setTimeout(() => this.#open(), pause);
	}

	async #open() {
		if (!this.#isWanted || this.#socket) return;
		let ticket;
		try {
			({ ticket } = (await this.session.call("POST", "/auth/ticket")).value);
		} catch {
			return this.#failed();
		}
		if (!this.#isWanted || this.#socket) return;
		const url = new URL(`/ws/${this.kind}/${this.id}?token=${encodeURIComponent(ticket)}`, location.href);
		url.protocol = url.protocol.replace("http", "ws");
		const socket = new WebSocket(url, "ws+meta.nchan");
		this.#socket = socket;
		socket.onopen = () => this.#catchUp();
		socket.onmessage = (event) => this.#hear(event.data);
		socket.onclose = () => {
			if (this.#socket !== socket) return;
			this.#socket = null;
			this.#failed();
		};
	}

	#failed() {
		if (!this.#isWanted) return;
		this.#become(this.#failures++ ? "offline" : "connecting");
		const pause = Math.min(PAUSE_MAX_MS, PAUSE_MIN_MS * 2 ** this.#failures);
		this.#again(pause * (0.5 + Math.random() / 2));
	}

	/** A frame: header lines, an empty line, the notification. */
	#hear(frame) {
		const end = frame.indexOf("\n\n");
		const seq = Number(/seq=(\d+)/.exec(frame.slice(0, end))?.[1]);
		const event = { seq, message: JSON.parse(frame.slice(end + 2)) };
		this.heardAt = Date.now();
		if (this.#isCatching) this.#held.push(event);
		else if (event.seq > this.last + 1) this.#catchUp();
		else this.#take(event);
	}

	#take({ seq, message }) {
		if (seq <= this.last) return;
		this.last = seq;
		this.dispatchEvent(new CustomEvent("message", { detail: message }));
	}

	/** Whatever came after the last one seen. What the socket brings meanwhile waits. */
	async #catchUp() {
		if (this.#isCatching || !this.#isWanted) return;
		this.#isCatching = true;
		try {
			await this.#readAll();
			this.heardAt = Date.now();
			this.#held.splice(0).sort((a, b) => a.seq - b.seq).forEach((event) => this.#take(event));
			if (this.#socket?.readyState === WebSocket.OPEN) {
				this.#failures = 0;
				this.#become("live");
			}
		} catch {
			// What was held is read again: it came after the last one taken.
			this.#held = [];
			this.#become(this.#socket?.readyState === WebSocket.OPEN && Date.now() - this.heardAt < SILENCE_MS ? "connecting" : "offline");
		}
		this.#isCatching = false;
	}

	async #readAll() {
		const path = `/events/${this.kind}/${this.id}`;
		if (this.last === null) {
			this.last = (await this.session.get(path)).last_seq;
			return;
		}
		for (;;) {
			try {
				const { events, last_seq } = await this.session.get(`${path}?after=${this.last}&limit=200`);
				events.forEach((event) => this.#take(event));
				if (!events.length || this.last >= last_seq) return;
			} catch (problem) {
				if (problem.status !== 410) throw problem;
				this.last = problem.members.last_seq;
				this.dispatchEvent(new Event("resync"));
				return;
			}
		}
	}
}
