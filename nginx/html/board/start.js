// start.js - what the board shows first is asked for while the page is on its way still.

import { ask, language, whoIs, wordsOf } from "../lib/early.js";
import { kept } from "./keep.js";
import { openOrders } from "./lists.js";

const who = whoIs("pickup.board");
const shop = who && kept(`shop.${who.user_id}`);
if (shop) for (const path of [`/shops/${shop}`, openOrders(shop)]) ask(path, who.access_token);
wordsOf(language()).catch(() => {});
// The first clock that is made loads the rules of all, for a hundred milliseconds on a cheap tablet that has nothing else to do yet.
if (shop) new Intl.DateTimeFormat(language());
