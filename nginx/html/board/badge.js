// badge.js - how many orders wait, in the title and the icon of the window.

const SIZE = 64;
/** The page is drawn before. */
const DRAW_MS = 100;

export class Badge {
	#shown = null;
	#address = null;

	constructor(link) {
		this.link = link;
	}

	/** count: orders that wait; isLost: what is shown can't be relied on. */
	show(count, name, isLost) {
		const title = `${isLost ? "⚠ " : ""}${count ? `(${count}) ` : ""}${name}`;
		if (title === this.#shown) return;
		this.#shown = title;
		document.title = title;
		setTimeout(() => this.#draw(isLost ? "!" : count > 99 ? "99+" : count ? String(count) : "", isLost), DRAW_MS);
	}

	#draw(text, isLost) {
		const canvas = document.createElement("canvas");
		canvas.width = canvas.height = SIZE;
		const pen = canvas.getContext("2d");
		if (!pen) return;
		pen.fillStyle = isLost ? "#a61b1b" : text ? "#6a2fa0" : "#0b5cad";
		(pen.roundRect ?? pen.rect).call(pen, 0, 0, SIZE, SIZE, 14);
		pen.fill();
		pen.fillStyle = "#ffffff";
		pen.font = `bold ${text.length > 2 ? 28 : text.length > 1 ? 40 : 50}px sans-serif`;
		pen.textAlign = "center";
		pen.textBaseline = "middle";
		pen.fillText(text || "p", SIZE / 2, SIZE / 2 + 3);
		canvas.toBlob((blob) => blob && this.#put(URL.createObjectURL(blob)));
	}

	#put(address) {
		this.link.type = "image/png";
		this.link.href = address;
		if (this.#address) URL.revokeObjectURL(this.#address);
		this.#address = address;
	}
}
