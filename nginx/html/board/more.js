// more.js - what no board needs to be shown, behind everything else; from then on no tap waits for the network.

import { h } from "../lib/dom.js";

export { askMinutes, askPrice, askReason, showPhoto } from "./dialogs.js";
export { askPause, showProducts } from "./goods.js";
export { showSettings } from "./setup.js";
export { print } from "./ticket.js";

const style = h("link", { rel: "stylesheet", href: "ticket.css" });
await new Promise((resolve, reject) => {
	style.onload = resolve;
	style.onerror = reject;
	document.head.append(style);
});
