// start.js - what the page shows first is asked for while it is on its way still: its words, and the shops where they are the first view.

import { ask, language, wordsOf } from "../lib/early.js";

export const SHOPS = "/shops/?limit=200";

/** Settles when the first view's data are there, or are known not to be. */
export const first = /^#\/(shop|order)/.test(location.hash) ? null : ask(SHOPS);
wordsOf(language()).catch(() => {});
