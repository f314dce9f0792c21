// words.mjs - the pages' words as what to look for: tests find things by role and name, and the names stand in one file a language.
import { readdirSync, readFileSync } from "node:fs";

const folder = `${process.env.PICKUP_SRC}/nginx/html/words`;
export const LANGUAGES = readdirSync(folder).map((name) => name.replace(/\.js$/, ""));
// By its text: node would not take the .js of a page for a module.
const read = async (l) => (await import(`data:text/javascript,${encodeURIComponent(readFileSync(`${folder}/${l}.js`, "utf8"))}`)).default;
export const all = Object.fromEntries(await Promise.all(LANGUAGES.map(async (l) => [l, await read(l)])));

const escaped = (text) => text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");

function patternOf(name, values, language) {
	const word = all[language][name];
	if (word === undefined) throw new Error(`no word ${name} in ${language}`);
	const forms = typeof word === "string" ? [word] : Object.values(word);
	// A blank of a number or a time may be one that does not break.
	return forms.map((form) => form.split(/(\{\w+\})/).map((part) => {
		const member = /^\{(\w+)\}$/.exec(part)?.[1];
		if (!member) return escaped(part);
		return member in values ? escaped(String(values[member])) : ".+";
	}).join("")).join("|").replaceAll(" ", "\\s");
}

/** The whole text under that name, with any value for a member that is not given. */
export const w = (name, values = {}, language = "en") => new RegExp(`^\\s*(${patternOf(name, values, language)})\\s*$`, "s");

/** The same anywhere within a text. */
export const within = (name, values = {}, language = "en") => new RegExp(patternOf(name, values, language), "s");
