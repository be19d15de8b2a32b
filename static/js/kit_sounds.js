// Loads the sounds of a bank into the player of pads. A sound that can't be had is named, and the others still play.
import { toast } from "./toast.js";

const TRIES = 15;
const LONGEST_S = 300; // a longer sound takes more than 115 MB of memory once it is decoded
const SHAPING = 503;
const TOO_MANY = 429;

const wait = (seconds) => new Promise((resolve) => { setTimeout(resolve, seconds * 1000); });

// A pad in time with the bank was stretched: its positions move with it.
function scaled(settings, factor) {
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

async function loadSound({ context, engine }, pad, { src, settings, frames, length_s: length }) {
  if (length > LONGEST_S) {
    toast(`Pad ${pad} holds a sound of more than 5 minutes, which is too long to play here.`);
    return;
  }
  try {
    const response = await fetchSound(src);
    if (!response.ok) {
      toast(`Pad ${pad} can't be heard as it is set. Its settings stay.`);
      return;
    }
    const buffer = await context.decodeAudioData(await response.arrayBuffer());
    const factor = settings.bpm_sync && frames ? buffer.length / frames : 1;
    engine.setPad(pad, buffer, scaled(settings, factor));
  } catch {
    toast(`The sound of pad ${pad} can't be loaded. Turn play mode off and on to try again.`);
  }
}

// Load every sound of a bank and its tempo. Return whether the bank itself could be loaded.
export async function loadSounds(player, url) {
  const response = await fetch(url).catch(() => null);
  const bank = response?.ok ? await response.json().catch(() => null) : null;
  if (!bank) return false;
  player.beat.tempo_bpm = bank.tempo_bpm;
  await Promise.all(Object.entries(bank.pads).map(([pad, sound]) => loadSound(player, pad, sound)));
  return true;
}
