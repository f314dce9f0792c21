// more.js - what no board needs to be shown, behind everything else; from then on no tap waits for the network.

import { styled } from "./ticket.js";

export { askMinutes, askPrice, askReason, showPhoto } from "./dialogs.js";
export { askPause, showProducts } from "./goods.js";
export { showSettings } from "./setup.js";
export { print } from "./ticket.js";

styled();
