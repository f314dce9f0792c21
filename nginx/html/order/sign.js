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
	phone_number: (isNew) => ({ word: "common.phone", inputmode: "tel", maxlength: 40, ...(isNew ? { type: "tel", autocomplete: "tel" } : { autocomplete: "username" }) }),
	password: (isNew) => ({
		word: "common.password", type: "password", autocomplete: isNew ? "new-password" : "current-password", maxlength: 200, minlength: isNew ? 8 : undefined,
		hint: isNew ? "order.password_hint" : null,
	}),
};

function field(name, isNew) {
	const { word, hint, ...attributes } = FIELDS[name](isNew);
	const fault = h("p", { class: "fault", id: `sign-${name}-fault` });
	const input = h("input", { id: `sign-${name}`, name, required: true, "aria-describedby": `sign-${name}-hint sign-${name}-fault`, ...attributes });
	const element = h("div", {}, h("label", { for: input.id }, t(word)), input, h("p", { class: "quiet", id: `sign-${name}-hint` }, hint ? t(hint) : ""), fault);
	return {
		element, input,
		blame(text) {
			fault.textContent = text;
			if (text) input.setAttribute("aria-invalid", "true");
			else input.removeAttribute("aria-invalid");
		},
	};
}

function form(app, reason, done) {
	const box = h("div");
	let phone = app.session.who?.phone_number ?? app.lastPhone;
	function show(isNew) {
		const names = isNew ? ["full_name", "phone_number", "password"] : ["phone_number", "password"];
		const fields = Object.fromEntries(names.map((name) => [name, field(name, isNew)]));
		fields.phone_number.input.value = phone;
		const fault = h("p", { class: "fault", role: "alert" });
		const go = h("button", { class: "go" }, t(isNew ? "order.register" : "common.sign_in"));
		const other = h("button", { type: "button", onclick: () => { phone = fields.phone_number.input.value; show(!isNew); } }, t(isNew ? "order.have_account" : "order.no_account"));
		box.replaceChildren(h("form", {
			class: "stack",
			onsubmit: async (event) => {
				event.preventDefault();
				if (go.getAttribute("aria-disabled")) return;
				go.setAttribute("aria-disabled", "true");
				fault.textContent = "";
				for (const one of Object.values(fields)) one.blame("");
				const account = Object.fromEntries(names.map((name) => [name, fields[name].input.value]));
				const isIn = await enter(app, account, isNew).catch((problem) => blame(problem, fields, fault, isNew));
				go.removeAttribute("aria-disabled");
				if (isIn) done(true);
			},
		}, h("h2", {}, t(isNew ? "order.register" : "common.sign_in")), reason && h("p", {}, reason), Object.values(fields).map((one) => one.element), fault,
		h("div", { class: "row" }, go, h("button", { type: "button", onclick: () => done(false) }, t("common.cancel"))), h("p", {}, other)));
		fields[names[0]].input.focus();
	}
	show(false);
	return box;
}

/** True, or throws. Only a customer's account orders. */
async function enter(app, account, isNew) {
	if (isNew) await register(app.session, account);
	else await app.session.signIn(account.phone_number, account.password);
	app.lastPhone = account.phone_number;
	if (app.session.who.role === "customer") return true;
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

function blame(problem, fields, fault, isNew) {
	const faults = problem.members?.errors ?? [];
	const known = faults.filter((one) => fields[one.field]);
	for (const one of known) fields[one.field].blame(t(`order.fault.${one.field}`));
	const isWrong = problem.status === 401 && !isNew;
	const wait = problem.wait ? ` ${t("order.wait", { n: problem.wait })}` : "";
	if (!known.length) fault.textContent = (isWrong ? t("order.wrong_password") : tell(problem)) + wait;
	(known.length ? fields[known[0].field] : Object.values(fields).at(-1)).input.focus();
	return false;
}

/** A view in place of one that needs somebody. */
export function signInFirst(app, name) {
	const go = h("button", { type: "button", class: "go", onclick: () => signIn(app) }, t("common.sign_in"));
	const element = h("div", { class: "stack" }, h("h1", { tabindex: "-1" }, name), h("p", {}, t("order.sign_in_first")), h("p", {}, go));
	return { element, title: () => name, leave() {}, isForSigning: true };
}
