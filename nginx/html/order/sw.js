// sw.js - what a notification belongs to: a tap on it opens its order. Keeps nothing, answers no request.

async function open(hash) {
	const pages = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
	const page = pages.find(({ url }) => url.startsWith(self.registration.scope));
	if (!page) return self.clients.openWindow(self.registration.scope + hash);
	page.postMessage({ open: hash });
	return page.focus();
}

self.addEventListener("notificationclick", (event) => {
	event.notification.close();
	event.waitUntil(open(String(event.notification.data ?? "#/orders")));
});
