// sign.js - signing in and up, asked for when it is needed, in a dialog.

import { ask, h } from "../lib/dom.js";
import { t, tell } from "../lib/words.js";

/** Whether somebody is signed in afterwards who may order. */
export async function signIn(app, reason = "") {
	return (await ask(t("common.sign_in"), (done) => form(app, reason, done))) === true;
}

const FIELDS = {
	full_name: () => ({ word: "common.name", autocomplete: "name", maxlength: 120 }),
	// Where one signs in it is the user's name, by which a password's keeper finds it.
	phone_number: (isNew) => ({
		word: "common.phone", inputmode: "tel", maxlength: 40, ...(isNew ? { type: "tel", autocomplete: "tel" } : { autocomplete: "username" }),
	}),
	password: (isNew) => ({
		word: "common.password", type: "password", maxlength: 200,
		...(isNew ? { autocomplete: "new-password", minlength: 8, hint: "order.password_hint" } : { autocomplete: "current-password" }),
	}),
};

class Field {
	constructor(name, isNew) {
		const { word, hint, ...attributes } = FIELDS[name](isNew);
		const id = `sign-${name}`;
		this.fault = h("p", { class: "fault", id: `${id}-fault` });
		this.input = h("input", { id, name, required: true, "aria-describedby": `${id}-hint ${id}-fault`, ...attributes });
		this.element = h("div", {}, h("label", { for: id }, t(word)), this.input, h("p", { class: "quiet", id: `${id}-hint` }, hint ? t(hint) : ""),
			this.fault);
	}
	blame(text) {
		this.fault.textContent = text;
		if (text) this.input.setAttribute("aria-invalid", "true");
		else this.input.removeAttribute("aria-invalid");
	}
}

/** Signing in, or up after a tap. */
function form(app, reason, done) {
	const box = h("div");
	function show(isNew, phone) {
		const names = isNew ? ["full_name", "phone_number", "password"] : ["phone_number", "password"];
		const fields = Object.fromEntries(names.map((name) => [name, new Field(name, isNew)]));
		const fault = h("p", { class: "fault", role: "alert" });
		const title = t(isNew ? "order.register" : "common.sign_in");
		const turn = () => show(!isNew, fields.phone_number.input.value);
		const other = h("button", { type: "button", onclick: turn }, t(isNew ? "order.have_account" : "order.no_account"));
		fields.phone_number.input.value = phone;
		box.replaceChildren(h("form", { class: "stack", onsubmit: (event) => submit(app, event, { fields, fault, isNew }, done) }, h("h2", {}, title),
			reason && h("p", {}, reason), Object.values(fields).map(({ element }) => element), fault,
			h("div", { class: "row" }, h("button", { class: "go" }, title), h("button", { type: "button", onclick: () => done(false) }, t("common.cancel"))),
			h("p", {}, other)));
		fields[names[0]].input.focus();
	}
	show(false, app.lastPhone);
	return box;
}

async function submit(app, event, parts, done) {
	event.preventDefault();
	const sent = event.currentTarget;
	if (sent.getAttribute("aria-busy")) return;
	sent.setAttribute("aria-busy", "true");
	parts.fault.textContent = "";
	for (const field of Object.values(parts.fields)) field.blame("");
	const account = Object.fromEntries(Object.entries(parts.fields).map(([name, { input }]) => [name, input.value]));
	try {
		await enter(app, account, parts.isNew);
		done(true);
	} catch (problem) {
		blame(problem, parts);
	}
	sent.removeAttribute("aria-busy");
}

/** Throws where it does not work. Only a customer's account orders. */
async function enter(app, account, isNew) {
	if (isNew) await register(app.session, account);
	else await app.session.signIn(account.phone_number, account.password);
	app.lastPhone = account.phone_number;
	if (app.session.who.role === "customer") return;
	app.session.signOut();
	throw Object.assign(new Error(t("order.refused.not_customer")), { code: "not_customer" });
}

/** An account that was made by a try whose answer got lost is this person's: then the password fits. */
async function register(session, account) {
	try {
		await session.register(account);
	} catch (problem) {
		if (problem.code !== "phone_taken") throw problem;
		await session.signIn(account.phone_number, account.password).catch(() => { throw problem; });
	}
}

function blame(problem, { fields, fault, isNew }) {
	const known = (problem.members?.errors ?? []).map(({ field }) => field).filter((name) => fields[name]);
	for (const name of known) fields[name].blame(t(`order.fault.${name}`));
	const wait = problem.wait ? ` ${t("order.wait", { n: problem.wait })}` : "";
	if (!known.length) fault.textContent = (problem.status === 401 && !isNew ? t("order.wrong_password") : tell(problem)) + wait;
	fields[known[0] ?? "password"].input.focus();
}

/** A view in place of one that needs somebody. */
export function signInFirst(app, name) {
	const go = h("button", { type: "button", class: "go", onclick: () => signIn(app) }, t("common.sign_in"));
	const element = h("div", { class: "stack" }, h("h1", { tabindex: "-1" }, name), h("p", {}, t("order.sign_in_first")), h("p", {}, go));
	return { element, title: () => name, leave() {}, isForSigning: true };
}
