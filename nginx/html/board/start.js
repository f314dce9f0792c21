// start.js - what the board shows first is asked for while the page is on its way still.

import { ask, prepare, whoIs } from "../lib/early.js";
import { kept } from "./keep.js";
import { openOrders } from "./lists.js";

const who = whoIs("pickup.board");
const shop = who && kept(`shop.${who.user_id}`);
if (shop) for (const path of [`/shops/${shop}`, openOrders(shop)]) ask(path, who.access_token);
prepare();
