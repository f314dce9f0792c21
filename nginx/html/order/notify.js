// notify.js - the browser's own notifications, for somebody whose eyes are elsewhere. Asked for on a tap only.

export const isPossible = () => "Notification" in self;
/** "default" (not asked yet), "granted" or "denied". */
export const permission = () => (isPossible() ? Notification.permission : "denied");

const WORKER = "sw.js";
/** There can be only one of that name. */
let policy = null;

/** On telephones a notification needs a service worker to belong to; elsewhere none is needed, so it does no harm where there can be none. */
async function registration() {
	if (!navigator.serviceWorker) return undefined;
	try {
		policy ??= self.trustedTypes?.createPolicy("pickup", { createScriptURL: () => WORKER });
		return await navigator.serviceWorker.register(policy ? policy.createScriptURL("") : WORKER);
	} catch {
		return navigator.serviceWorker.getRegistration().catch(() => undefined);
	}
}

/** Asks. Gives the permission. */
export async function askPermission() {
	if (!isPossible()) return "denied";
	const answer = await Notification.requestPermission();
	if (answer === "granted") await registration();
	return answer;
}

/** Where the permission is older than the worker, or outlived it. */
async function byWorker(title, options) {
	if (!(await registration())) return;
	await (await navigator.serviceWorker.ready).showNotification(title, options);
}

/** Several pages of one browser that tell the same show it once: the tag is what it is about. */
export async function notify(title, body, tag, hash) {
	if (permission() !== "granted") return;
	const options = { body, tag, icon: "icon.svg", data: hash };
	const worker = await navigator.serviceWorker?.getRegistration().catch(() => undefined);
	try {
		if (worker?.active) await worker.showNotification(title, options);
		else new Notification(title, options).onclick = () => self.focus();
	} catch {
		await byWorker(title, options).catch(() => {});
	}
}
