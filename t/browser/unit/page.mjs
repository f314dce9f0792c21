// A module of the pages as it is, also for a node that takes a .js file without a package.json for another kind of module.
import { readFileSync } from "node:fs";

const text = (path) => readFileSync(new URL(`../../../nginx/html/${path}`, import.meta.url), "utf8");

export const load = (path) => import(`data:text/javascript,${encodeURIComponent(text(path))}`);
