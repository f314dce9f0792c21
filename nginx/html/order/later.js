// later.js - what nobody needs to see the shops: loaded behind the first view, or at once where an address asks for it.

export { Live } from "../lib/live.js";
export { pending } from "./attempt.js";
export { CheckoutView } from "./checkout.js";
export { MenuView } from "./menu.js";
export { MineView } from "./mine.js";
export { notify } from "./notify.js";
export { ProgressView } from "./progress.js";
export { signIn, signInFirst } from "./sign.js";
