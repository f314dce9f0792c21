// photo.js - a photo of a shopping list, made fit for sending: of a kind that the server takes, and no larger than reading needs.

const TAKEN = new Set(["image/jpeg", "image/png", "image/webp"]);
const SIDE_MAX = 2400;
const BYTES_MAX = 1500000;
const QUALITY = 0.85;
/** A slow telephone sends a megabyte in a minute. */
const PATIENCE_MS = 180000;

/** Whether a photo is sent as it is. */
export const isFit = ({ type, size }, width, height) => TAKEN.has(type) && size <= BYTES_MAX && Math.max(width, height) <= SIDE_MAX;

/** The size to draw it in. */
export function shrunk(width, height) {
	const factor = Math.min(1, SIDE_MAX / Math.max(width, height));
	return { width: Math.max(1, Math.round(width * factor)), height: Math.max(1, Math.round(height * factor)) };
}

/** The photo as a Blob to send. What is sent as it is keeps its orientation (the server keeps that of a JPEG); what is drawn anew is drawn upright, as
 * browsers show it. Undefined where the browser can't read the file as a picture. */
export async function prepare(file) {
	const address = URL.createObjectURL(file);
	try {
		const image = new Image();
		image.src = address;
		await image.decode();
		if (isFit(file, image.naturalWidth, image.naturalHeight)) return file;
		const smaller = await redraw(image);
		return smaller && (smaller.size < file.size || !TAKEN.has(file.type)) ? smaller : file;
	} catch {
		return undefined;
	} finally {
		URL.revokeObjectURL(address);
	}
}

function redraw(image) {
	const canvas = document.createElement("canvas");
	Object.assign(canvas, shrunk(image.naturalWidth, image.naturalHeight));
	const context = canvas.getContext("2d", { alpha: false });
	context.fillStyle = "white";
	context.fillRect(0, 0, canvas.width, canvas.height);
	context.drawImage(image, 0, 0, canvas.width, canvas.height);
	return new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", QUALITY));
}

/** Gives what a basket keeps of it. Throws a Problem. */
export async function upload(session, blob) {
	const user_id = session.who?.user_id;
	const headers = { "Content-Type": blob.type || "image/jpeg" };
	const answer = await session.call("POST", "/uploads/", { body: blob, headers, patience: PATIENCE_MS });
	return { url: answer.value.list_image_url, user_id };
}
