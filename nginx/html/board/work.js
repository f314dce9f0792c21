// work.js - what a board needs once a shop is chosen; on its way while the door is shown.

export { Desk } from "./desk.js";
export { View } from "./view.js";
