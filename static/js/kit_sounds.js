// Loads the sounds of a bank into the player of pads. A sound that can't be had is named, and the others still play.
import { basePath } from "./base_path.js";
import { toast } from "./toast.js";

const TRIES = 15;
const LONGEST_S = 300; // a longer sound takes more than 115 MB of memory once it is decoded
const SHAPING = 503;
const TOO_MANY = 429;

const wait = (seconds) => new Promise((resolve) => { setTimeout(resolve, seconds * 1000); });

// A pad in time with the bank was stretched: its positions move with it.
export function scaled(settings, { frames, stretch }, buffer) {
  const factor = stretch !== 1 && frames ? buffer.length / frames : stretch;
  if (factor === 1) return settings;
  const moved = { ...settings, chops: settings.chops.map((frame) => Math.round(frame * factor)) };
  for (const name of ["start", "end", "loop_top"]) {
    if (moved[name] !== null) moved[name] = Math.round(moved[name] * factor);
  }
  return moved;
}

// Return the answer with a pad's WAV; while it is being shaped, or when we ask too often, ask again later.
async function fetchSound(src) {
  for (let tries = 1; ; tries += 1) {
    const response = await fetch(src);
    if (response.ok || tries === TRIES || ![SHAPING, TOO_MANY].includes(response.status)) return response;
    await wait(Number(response.headers.get("Retry-After")) || 1);
  }
}

export async function fetchBank({ kit, bank }) {
  const response = await fetch(`${basePath}/kits/${kit}/banks/${bank}/sounds`).catch(() => null);
  return response?.ok ? response.json().catch(() => null) : null;
}

// Return a pad's sound, or say why it can't be heard and return null.
export async function fetchBuffer(context, pad, { src, length_s: length }) {
  if (length > LONGEST_S) {
    toast(`Pad ${pad} holds a sound of more than 5 minutes, which is too long to play here.`);
    return null;
  }
  try {
    const response = await fetchSound(src);
    if (response.ok) return await context.decodeAudioData(await response.arrayBuffer());
    toast(`Pad ${pad} can't be heard as it is set. Its settings stay.`);
  } catch {
    toast(`The sound of pad ${pad} can't be loaded. Turn play mode off and on to try again.`);
  }
  return null;
}

// The sounds of the bank that is open, and of pads of other banks that the beat plays. Only what is new is fetched.
export class BankSounds {
  #wanted = new Map(); // what each pad is meant to sound like, by its name
  #buffers = new Map(); // promises of the sounds of these pads, by what is heard

  constructor(context, engine) {
    this.context = context;
    this.engine = engine;
  }

  // Bring the engine up to what the bank holds now. Return its tempo, or null when the bank can't be loaded.
  async load(place, isInBeat) {
    const bank = await fetchBank(place);
    if (!bank) return null;
    const before = this.#wanted;
    const kept = ([pad, sound]) => [pad, isSame(before.get(pad), sound) ? before.get(pad) : sound];
    const elsewhere = [...before].filter(([pad]) => !pad.startsWith(place.bank) && isInBeat(pad));
    this.#wanted = new Map([...elsewhere, ...Object.entries(bank.pads).map(kept)]);
    for (const pad of before.keys()) if (!this.#wanted.has(pad)) this.engine.removePad(pad);
    const heard = new Set([...this.#wanted.values()].map((sound) => sound.heard));
    for (const key of this.#buffers.keys()) if (!heard.has(key)) this.#buffers.delete(key);
    const changed = [...this.#wanted].filter(([pad, sound]) => before.get(pad) !== sound);
    await Promise.all(changed.map(([pad, sound]) => this.#setPad(pad, sound)));
    return bank.tempo_bpm;
  }

  // Forget what could not be loaded, so that it is tried again.
  retry() {
    this.#wanted = new Map([...this.#wanted].filter(([pad]) => this.engine.has(pad)));
  }

  async #setPad(pad, sound) {
    if (!this.#buffers.has(sound.heard)) this.#buffers.set(sound.heard, fetchBuffer(this.context, pad, sound));
    const buffer = await this.#buffers.get(sound.heard);
    if (this.#wanted.get(pad) !== sound) return; // it was changed again meanwhile
    if (buffer) this.engine.setPad(pad, buffer, scaled(sound.settings, sound, buffer));
    else {
      this.engine.removePad(pad);
      this.#buffers.delete(sound.heard);
    }
  }
}

const isSame = (before, sound) => before !== undefined && JSON.stringify(before) === JSON.stringify(sound);
