// The channel of notifications, with sockets and a list of events that are the test's: nothing is missed, nothing comes twice or out of order.
import assert from "node:assert/strict";
import test from "node:test";
import { load } from "./load.mjs";

const sockets = [];
class Socket {
	static OPEN = 1;
	readyState = 0;
	constructor(url) {
		this.url = String(url);
		sockets.push(this);
	}
	open() {
		this.readyState = Socket.OPEN;
		this.onopen();
	}
	/** A notification as it travels. */
	tell(seq) {
		this.onmessage({ data: `id: 1:0\ncontent-type: application/json; seq=${seq}\n\n{"order_id":${seq}}` });
	}
	close() {
		this.readyState = 3;
		this.onclose();
	}
}
Object.assign(globalThis, {
	WebSocket: Socket, location: { href: "https://shop.example/board/" }, addEventListener() {}, removeEventListener() {},
	document: Object.assign(new EventTarget(), { hidden: false }),
});
const { Live } = await load("lib/live.js");
const settled = () => new Promise((resolve) => setTimeout(resolve, 5));

/** A server with events 1 to last. asks: what is asked of it; hold: what keeps the next answer back. */
class Server {
	last = 0;
	asks = [];
	hold = null;
	tickets = [];
	async call() {
		const wait = this.tickets.shift();
		if (wait) await wait;
		return { value: { ticket: "t" } };
	}
	async get(path) {
		this.asks.push(path);
		const after = Number(/after=(\d+)/.exec(path)?.[1] ?? this.last);
		const answer = { last_seq: this.last, events: Array.from({ length: this.last - after }, (_, i) => ({ seq: after + i + 1, message: { order_id: after + i + 1 } })) };
		const { hold, fail } = this;
		await hold;
		if (fail) throw fail;
		return answer;
	}
}

/** heard: the numbers that were told, in their order. */
async function made(t, { last = 0, isOpen = true, server = new Server() } = {}) {
	server.last = last;
	sockets.length = 0;
	const live = new Live(server, "shop", 7);
	t.after(() => live.close());
	const heard = [];
	live.addEventListener("message", ({ detail }) => heard.push(detail.order_id));
	await settled();
	if (isOpen) {
		sockets[0].open();
		await settled();
	}
	return { live, server, heard, socket: sockets.at(-1) };
}

test("open, and all from then on", async (t) => {
	const { live, heard, socket } = await made(t, { last: 41 });
	assert.equal(live.state, "live");
	assert.match(socket.url, /^wss:\/\/shop\.example\/ws\/shop\/7\?token=t$/);
	for (const seq of [42, 43, 43, 42, 44]) socket.tell(seq);
	assert.deepEqual(heard, [42, 43, 44]);
});

test("one that is missing, or comes too late, is read from the list of events", async (t) => {
	const { server, heard, socket } = await made(t);
	server.last = 5;
	socket.tell(1);
	socket.tell(4);
	socket.tell(3);
	socket.tell(5);
	await settled();
	assert.deepEqual(heard, [1, 2, 3, 4, 5]);
});

test("what comes while the list is read waits for it", async (t) => {
	const { server, heard, socket } = await made(t);
	let go;
	server.hold = new Promise((resolve) => (go = resolve));
	server.last = 2;
	socket.tell(2);
	server.last = 4;
	socket.tell(4);
	socket.tell(3);
	assert.deepEqual(heard, []);
	server.hold = null;
	go();
	await settled();
	assert.deepEqual(heard, [1, 2, 3, 4]);
});

test("what comes while the very first number is asked for comes once", async (t) => {
	const server = new Server();
	let go;
	server.hold = new Promise((resolve) => (go = resolve));
	const { heard, socket } = await made(t, { last: 4, server });
	server.last = 5;
	socket.tell(5);
	server.hold = null;
	go();
	await settled();
	server.last = 7;
	socket.tell(7);
	await settled();
	assert.deepEqual(heard, [5, 6, 7]);
});

test("what happens after the list was read and before the socket is open is read once it is", async (t) => {
	const { server, heard } = await made(t, { isOpen: false });
	let go;
	server.hold = new Promise((resolve) => (go = resolve));
	document.dispatchEvent(new Event("visibilitychange"));
	server.last = 1;
	sockets[0].open();
	server.hold = null;
	go();
	await settled();
	assert.deepEqual(heard, [1]);
});

test("a list that can't be read loses nothing", async (t) => {
	const { live, server, heard, socket } = await made(t);
	server.fail = new Error("away");
	server.last = 3;
	socket.tell(2);
	socket.tell(3);
	await settled();
	assert.deepEqual([heard, live.state], [[], "connecting"]);
	server.fail = null;
	live.renew();
	await settled();
	sockets.at(-1).open();
	await settled();
	assert.deepEqual([heard, live.state], [[1, 2, 3], "live"]);
});

test("older than what is kept: it says so, and goes on from there", async (t) => {
	const { live, server, heard, socket } = await made(t);
	let resyncs = 0;
	live.addEventListener("resync", () => resyncs++);
	server.fail = Object.assign(new Error(), { status: 410, code: "gone", members: { last_seq: 90 } });
	socket.tell(80);
	await settled();
	server.fail = null;
	socket.tell(91);
	await settled();
	assert.deepEqual([resyncs, heard, live.last], [1, [91], 91]);
});

test("a ticket that hung and fails in the end says nothing of the connection that overtook it", async (t) => {
	const server = new Server();
	let fail;
	server.tickets = [new Promise((_, reject) => (fail = reject))];
	const { live } = await made(t, { isOpen: false, server });
	live.renew();
	await settled();
	sockets[0].open();
	await settled();
	assert.equal(live.state, "live");
	fail(new Error("no answer"));
	await settled();
	assert.equal(live.state, "live");
	assert.equal(sockets.length, 1);
});
