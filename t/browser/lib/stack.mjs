// stack.mjs - everything, as ./bootstrap sets it up in a folder of its own, on a port of 127.0.0.1. Its parts are ended and reloaded by process id; the
// supervisor brings them back.
import { spawn, execFileSync } from "node:child_process";
import { createHmac } from "node:crypto";
import { closeSync, openSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { Api } from "./api.mjs";
import { until } from "./test.mjs";

const PARTS = ["front", "push", "relay", "workers", "mariadbd"];
/** How long a part may take to end or to begin: a database on a busy disk takes its time. */
const PART_MS = 40000;

/** A port that nobody listens on. */
function freePort() {
	return new Promise((resolve, reject) => {
		const server = createServer().once("error", reject);
		server.listen(0, "127.0.0.1", () => {
			const { port } = server.address();
			server.close(() => resolve(port));
		});
	});
}

function environment(port) {
	const kept = ["PICKUP_BIN", "PICKUP_NGINX", "PICKUP_NCHAN", "PICKUP_DEPS_CACHE"];
	const own = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("PICKUP_") || kept.includes(name)));
	return { ...own, PICKUP_PORT: String(port), PICKUP_WORKERS: "4", PICKUP_DEMO: "off", PICKUP_DB_POOL: "32M", PICKUP_DB_LOG: "8M" };
}

const text = (path) => {
	try {
		return readFileSync(path, "utf8");
	} catch {
		return "";
	}
};

function isAlive(pid) {
	return !/^[ZX]?$/.test(text(`/proc/${pid}/stat`).replace(/^.*\) (.).*$/s, "$1"));
}

const childrenOf = (pid) => text(`/proc/${pid}/task/${pid}/children`).split(" ").filter(Boolean);

export class Stack {
	#process = null;
	#secure = null;

	constructor(dir) {
		this.dir = dir;
		this.log = `${dir}.log`;
		this.bootstrap = `${process.env.PICKUP_SRC}/bootstrap`;
	}

	async up() {
		const port = await freePort();
		this.origin = `http://127.0.0.1:${port}`;
		this.api = new Api(this.origin);
		const env = environment(port);
		execFileSync(this.bootstrap, ["setup", this.dir], { env, stdio: ["ignore", "pipe", "pipe"], timeout: 60000 });
		const out = openSync(this.log, "w");
		// It ends everything with itself, also where this process is killed.
		this.#process = spawn("setpriv", ["--pdeathsig", "TERM", this.bootstrap, "up", this.dir], { env, stdio: ["ignore", out, out], detached: true });
		closeSync(out);
		await until(() => {
			if (this.#process.exitCode !== null) throw new Error(text(this.log));
			return /^ready/m.test(text(this.log));
		}, "bootstrap up", 60000);
	}

	async stop() {
		if (!this.#process) return;
		if (this.#process.exitCode === null) {
			const ended = new Promise((resolve) => this.#process.once("exit", resolve));
			this.#process.kill("SIGTERM");
			await ended;
		}
		const left = PARTS.filter((part) => this.pid(part));
		this.#judgeLogs();
		if (this.#process.exitCode !== 0 || left.length) throw new Error(`${this.#process.exitCode}, left: ${left}\n${text(this.log)}`);
	}

	/** No log holds a token, a password or the sign of a fault of ours. */
	#judgeLogs() {
		for (const name of readdirSync(`${this.dir}/log`)) {
			const found = / 500 \d+ bytes|eyJ[\w-]{8,}\.|a password for all/.exec(text(`${this.dir}/log/${name}`));
			if (found) throw new Error(`${name} holds "${found[0]}"`);
		}
	}

	// ---- parts: front, push, relay, workers, mariadbd

	pid(part) {
		const pid = Number(text(`${this.dir}/${part}.pid`));
		return pid && isAlive(pid) ? pid : null;
	}

	/** Ends the part and waits until another one is there in its place. */
	async restart(part, signal = "SIGKILL") {
		const before = this.pid(part);
		process.kill(before, signal);
		await until(() => ![null, before].includes(this.pid(part)), `${part} to come back`, PART_MS);
		await this.ready();
	}

	/** Ends one process that answers requests; its manager starts another. */
	killWorker() {
		const below = (pid) => childrenOf(pid).flatMap((child) => [child, ...below(child)]);
		process.kill(Number(below(this.pid("workers")).find((pid) => !childrenOf(pid).length)), "SIGKILL");
	}

	async down(part) {
		execFileSync("s6-svc", ["-d", `${this.dir}/service/${part}`]);
		await until(() => !this.pid(part), `${part} to end`, PART_MS);
	}

	async back(part) {
		execFileSync("s6-svc", ["-u", `${this.dir}/service/${part}`]);
		await this.ready();
	}

	async ready() {
		await until(async () => (await fetch(`${this.origin}/readyz`).catch(() => ({}))).status === 200, "readyz", PART_MS);
	}

	/** The front nginx with another front.conf, in force when this returns: nginx renames the processes that only end what they have. */
	async #reload(edit) {
		const file = `${this.dir}/front.conf`;
		const serving = () => childrenOf(this.pid("front")).filter((pid) => !/shutting down|^$/.test(text(`/proc/${pid}/cmdline`)));
		const old = serving();
		writeFileSync(file, edit(text(file)));
		process.kill(this.pid("front"), "SIGHUP");
		await until(() => serving().length && !serving().some((pid) => old.includes(pid)), "nginx to take its files");
	}

	/** Pages of that origin may use the API, from when this returns until what it gives is called. */
	async letIn(origin) {
		const nobody = '# default "https://shop.example"';
		const named = `default "${origin}"`;
		await this.#reload((lines) => lines.replace(nobody, named));
		return () => this.#reload((lines) => lines.replace(named, nobody));
	}

	/** The address of the same front nginx with TLS and HTTP/2, as telephones reach it; good until the stack ends. */
	secure() {
		return (this.#secure ??= this.#serveTls());
	}

	async #serveTls() {
		const port = await freePort();
		execFileSync("openssl", ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1", "-subj", "/CN=127.0.0.1",
			"-keyout", `${this.dir}/etc/tls.key`, "-out", `${this.dir}/etc/tls.pem`], { stdio: "ignore" });
		const lines = `listen 127.0.0.1:${port} ssl http2;\n\t\tssl_certificate ${this.dir}/etc/tls.pem;\n\t\tssl_certificate_key ${this.dir}/etc/tls.key;`;
		await this.#reload((before) => before.replace(/^(\s*listen [^;]*;)/m, `$1\n\t\t${lines}`));
		return `https://127.0.0.1:${port}`;
	}

	/** An access token for a user that ends in so many seconds. */
	token({ user_id, role }, seconds) {
		const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
		const now = Math.floor(Date.now() / 1000);
		const signed = `${part({ alg: "HS256", typ: "JWT" })}.${part({ sub: String(user_id), role, iat: now, exp: now + seconds })}`;
		const key = text(`${this.dir}/etc/token.key`).replace(/\n$/, "");
		return `${signed}.${createHmac("sha256", key).update(signed).digest("base64url")}`;
	}
}
