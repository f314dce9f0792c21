// start.js - what takes longest is asked for first, while the rest of the page is on its way: the words, and the shops where they are the first view.

import { request } from "../lib/api.js";
import { load } from "../lib/words.js";

export const SHOPS = "/shops/?limit=200";

export const words = load();
/** The first page of shops, once; null where it is not wanted or can't be had. */
export const shops = /^#\/(shop|order)/.test(location.hash) ? null : request("GET", SHOPS).catch(() => null);
