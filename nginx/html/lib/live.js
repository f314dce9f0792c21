// live.js - a channel of notifications that misses nothing. The rule: subscribe, wait for open, read what came after the last number seen, drop what was
// seen already; and read that slowly all the time, as a net under the rest.

const NET_MS = 30000;
const PAUSE_MIN_MS = 500;
const PAUSE_MAX_MS = 15000;
const SILENCE_MS = 60000;
/** How long the socket may take for what the list of events has already. */
const LAG_MS = 3000;

/** states: "connecting", "live", "offline". Events: "message" (detail: the notification), "state", "resync" (older than what is kept: read everything anew). */
export class Live extends EventTarget {
	#socket = null;
	#failures = 0;
	#timer = 0;
	#net = 0;
	#isCatching = false;
	#isAgain = false;
	#heard = 0;
	#held = [];
	#isWanted = true;

	/** kind: "shop" or "customer". last: the number of the last notification that is known already, or null for all from now on. */
	constructor(session, kind, id, last = null) {
		super();
		Object.assign(this, { session, kind, id, last, state: "connecting", heardAt: 0 });
		this.#net = setInterval(() => this.#catchUp(), NET_MS);
		addEventListener("online", this.renew);
		addEventListener("offline", this.#cut);
		addEventListener("pageshow", this.#hurry);
		document.addEventListener("visibilitychange", this.#hurry);
		this.#open();
	}

	close() {
		this.#isWanted = false;
		clearInterval(this.#net);
		clearTimeout(this.#timer);
		removeEventListener("online", this.renew);
		removeEventListener("offline", this.#cut);
		removeEventListener("pageshow", this.#hurry);
		document.removeEventListener("visibilitychange", this.#hurry);
		this.#socket?.close();
	}

	/** Another network, or the machine slept: a socket of before is dead, and would not say so for minutes. */
	renew = () => {
		if (!this.#isWanted) return;
		this.#failures = 0;
		this.#socket?.close();
		this.#socket = null;
		this.#become("connecting");
		this.#again(0);
	};

	/** The browser knows that there is no network; what is open says nothing of it. */
	#cut = () => this.#become("offline");

	/** The list of events had what the socket still has not brought: it is dead. */
	#suspect(socket, seq) {
		if (this.#socket === socket && this.#heard < seq) this.renew();
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
			// A later try may have overtaken one that hung.
			return this.#socket ? undefined : this.#failed();
		}
		if (!this.#isWanted || this.#socket) return;
		const url = new URL(`/ws/${this.kind}/${this.id}?token=${encodeURIComponent(ticket)}`, location.href);
		url.protocol = url.protocol.replace("http", "ws");
		const socket = new WebSocket(url, "ws+meta.nchan");
		this.#socket = socket;
		this.#heard = 0;
		socket.onopen = () => this.#catchUp();
		socket.onmessage = (event) => this.#socket === socket && this.#hear(event.data);
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
		this.#heard = Math.max(this.#heard, seq);
		if (!this.#isCatching) this.last ??= seq - 1;
		if (this.#isCatching) this.#held.push(event);
		else if (event.seq > this.last + 1) this.#catchUp();
		else this.#take(event);
	}

	#take({ seq, message }) {
		if (seq <= this.last) return;
		this.last = seq;
		this.dispatchEvent(new CustomEvent("message", { detail: message }));
	}

	/** Whatever came after the last one seen. What the socket brings meanwhile waits. Asked for while one runs, it runs again: the socket may have opened after
	 * that one had read. */
	async #catchUp() {
		this.#isAgain = this.#isCatching;
		if (this.#isCatching || !this.#isWanted) return;
		this.#isCatching = true;
		const [socket, last] = [this.state === "live" && this.#socket, this.last];
		try {
			await this.#readAll();
			const seq = this.last;
			if (socket && seq > last) setTimeout(() => this.#suspect(socket, seq), LAG_MS);
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
		if (this.#isAgain) this.#catchUp();
	}

	async #readAll() {
		const path = `/events/${this.kind}/${this.id}`;
		if (this.last === null) {
			const { last_seq } = await this.session.get(path);
			this.last = Math.min(last_seq, ...this.#held.map((event) => event.seq - 1));
			return;
		}
		for (;;) {
			try {
				const { events, last_seq } = await this.session.get(`${path}?after=${this.last}&limit=200`);
				events.forEach((event) => this.#take(event));
				if (!events.length || this.last >= last_seq) return;
			} catch (problem) {
				if (problem.code !== "gone") throw problem;
				this.last = problem.members.last_seq;
				this.dispatchEvent(new Event("resync"));
				return;
			}
		}
	}
}
