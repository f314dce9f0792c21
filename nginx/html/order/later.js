// later.js - the views that nobody needs to see the shops: loaded behind the first one, or at once where an address asks for them.

export { CheckoutView } from "./checkout.js";
export { MenuView } from "./menu.js";
export { MineView } from "./mine.js";
export { ProgressView } from "./progress.js";
