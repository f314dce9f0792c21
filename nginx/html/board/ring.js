// ring.js - the sounds: one for new orders, one for a board that shows nothing any more. They are made here, and loop by themselves: a timer would be
// slowed down while the page is hidden.

const RATE = 22050;
const SOUNDS = {
	new: {
		every: 2.6,
		tones: [
			[0, 880],
			[0.2, 1174.7],
			[0.5, 880],
			[0.7, 1174.7],
		],
	},
	lost: {
		every: 8,
		tones: [
			[0, 330],
			[0.3, 262],
		],
	},
};

function drawn(context, { every, tones }) {
	const buffer = context.createBuffer(1, every * RATE, RATE);
	const samples = buffer.getChannelData(0);
	for (const [start, pitch] of tones) {
		const length = 0.19 * RATE;
		for (let i = 0; i < length; i++) {
			const wave = Math.sin((2 * Math.PI * pitch * i) / RATE) + 0.35 * Math.sin((6 * Math.PI * pitch * i) / RATE);
			samples[Math.floor(start * RATE) + i] = wave * 0.6 * Math.min(1, i / 200, (length - i) / 1200);
		}
	}
	return buffer;
}

/** Even where the browser lets it, sound takes a moment to begin. */
const START_MS = 1000;
const CHECK_MS = 2000;

/** Event "state". state: "starting" at first; "ready"; "blocked" until somebody touches the page; "none" where the browser has no sound. */
export class Ring extends EventTarget {
	#context = null;
	#gain;
	#volume;
	#playing = null;
	#source = null;
	#isStarting = true;
	/** How far the sound was when it was looked at last; null where it did not go on. */
	#heard = null;
	/** When that was. */
	#lookedAt = 0;
	/** It is said to go on, and stands still. */
	#isStuck = false;

	/** Silent until start(). */
	constructor(volume) {
		super();
		this.#volume = volume;
		for (const event of ["pointerup", "keydown", "touchend"]) addEventListener(event, () => this.unlock(), { capture: true, passive: true });
	}

	/** Takes the loudspeaker. That takes a cheap device a while: the page should be drawn before. */
	start() {
		if (!window.AudioContext) this.#isStarting = false;
		if (this.#context || !window.AudioContext) return;
		setTimeout(() => {
			this.#isStarting = false;
			this.dispatchEvent(new Event("state"));
		}, START_MS);
		setInterval(() => this.#check(), CHECK_MS);
		this.#open();
	}

	#open() {
		this.#context?.close().catch(() => {});
		this.#context = new AudioContext();
		this.#gain = this.#context.createGain();
		this.#gain.connect(this.#context.destination);
		this.volume = this.#volume;
		this.#heard = 0;
		this.#lookedAt = performance.now();
		this.#context.onstatechange = () => this.dispatchEvent(new Event("state"));
		this.#resume();
		this.#sound();
	}

	/** A call, another loudspeaker or a sleep of the machine ends the sound, and not every browser lets it go on afterwards, or says that it does not. */
	#check() {
		// After the page stood still its timer is late, and the next time in time: in a moment no sound goes on.
		const now = performance.now();
		if (now - this.#lookedAt < CHECK_MS / 2) return;
		this.#lookedAt = now;
		const { state, currentTime } = this.#context;
		const wasStuck = this.#isStuck;
		this.#isStuck = state === "running" && currentTime === this.#heard;
		this.#heard = state === "running" ? currentTime : null;
		if (this.#isStuck !== wasStuck) this.dispatchEvent(new Event("state"));
		if (this.#isStuck && !wasStuck) this.#open();
		else if (state !== "running" && navigator.userActivation?.hasBeenActive !== false) this.#resume();
	}

	get state() {
		if (this.#context?.state === "running" && !this.#isStuck) return "ready";
		if (this.#isStarting) return "starting";
		return this.#context ? "blocked" : "none";
	}

	/** What sounds now: "new", "lost" or null. */
	get playing() {
		return this.#playing;
	}

	set volume(percent) {
		this.#volume = percent;
		// Loudness is felt by the square.
		if (this.#gain) this.#gain.gain.value = (percent / 100) ** 2;
	}

	/** Works where somebody has just touched the page, or has before. */
	unlock() {
		if (this.#isStuck) this.#open();
		else if (this.#context && this.state !== "ready") this.#resume();
	}

	#resume() {
		this.#context.resume().catch(() => {});
	}

	/** Lets "new" or "lost" sound until something else is told; null: silence. */
	play(name) {
		if (this.#playing === name) return;
		this.#playing = name;
		this.#sound();
		if (name === "new" && navigator.userActivation?.hasBeenActive) navigator.vibrate?.([200, 100, 200]);
	}

	#sound() {
		this.#source?.stop();
		this.#source = this.#playing && this.#context ? this.#begin(this.#playing, true) : null;
	}

	/** Once, to hear how loud it is. */
	test() {
		this.unlock();
		if (this.#context) this.#begin("new", false);
	}

	#begin(name, isLooping) {
		const source = this.#context.createBufferSource();
		source.buffer = drawn(this.#context, SOUNDS[name]);
		source.loop = isLooping;
		source.connect(this.#gain);
		source.start();
		return source;
	}
}
