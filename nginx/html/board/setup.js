// setup.js - how the page is set on this device: paper, sound, language.

import { ask, h } from "../lib/dom.js";
import { t } from "../lib/words.js";
import { fillLanguages } from "./door.js";
import { set, settings } from "./keep.js";

export function showSettings(ring) {
	const title = t("board.settings");
	const paper = (mm) =>
		h(
			"label",
			{},
			h("input", { type: "radio", name: "paper", value: mm, checked: settings.paper === mm, onchange: () => set("paper", mm) }),
			t(`board.paper_${mm}`),
		);
	const volume = h("input", { type: "range", min: "10", max: "100", step: "10", value: settings.volume, oninput: change });
	function change() {
		set("volume", Number(volume.value));
		ring.volume = settings.volume;
	}
	const language = h("select", { id: "language-here" });
	fillLanguages(language);
	return ask(title, (done) =>
		h(
			"div",
			{ class: "stack" },
			h("h2", {}, title),
			h("fieldset", {}, h("legend", {}, t("board.paper")), paper(58), paper(80)),
			h("label", {}, `${t("board.sound")}: ${t("board.volume")}`, volume),
			h("button", { type: "button", onclick: () => ring.test() }, t("board.sound_test")),
			h("div", {}, h("label", { for: "language-here" }, t("common.language")), language),
			h("button", { type: "button", class: "go", onclick: () => done() }, t("common.close")),
		),
	);
}
