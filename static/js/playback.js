// What is heard: one sound at a time. An <audio> element loads, seeks and pauses it. A loop is heard from a voice that
// repeats without a gap as soon as its samples are here, and the element runs along without being heard.
import { LoopVoice } from "./loop_voice.js";
import { audioContext } from "./page_audio.js";
import { bufferOf, loadBuffer, urlOf } from "./sound_files.js";

export const audio = document.getElementById("sound");
let source = null; // of the sound that is loaded
let part = null; // [from, to] in seconds, where only a part of the sound repeats
let wasLoop = false; // whether all of it repeated before
let volume = 1;
let voice = null;

export const position_s = () => (voice?.isSounding ? voice.position_s : audio.currentTime);
export const duration_s = () => (Number.isFinite(audio.duration) ? audio.duration : 0);

// Load a sound and play it from `at`, a share of its length.
export async function start(sound, at = 0) {
  if (source !== sound.src) {
    silenceVoice();
    source = sound.src;
    part = null;
    audio.loop = sound.isLoop;
    audio.src = urlOf(source) ?? source;
  }
  const wanted = source;
  if (at) await knownLength();
  if (source !== wanted) return; // another sound was chosen meanwhile
  if (at || audio.currentTime) seek(at * duration_s());
  play();
}

export function play() {
  if (!voice?.isSounding) audio.muted = false;
  audio.play().catch(() => {}); // the error event tells the user
  if (bufferOf(source) && voice?.context.state === "running") startVoice();
}

// The voice's place counts: the element falls behind it by its gaps.
export function pause() {
  const at_s = position_s();
  audio.pause();
  silenceVoice();
  audio.currentTime = at_s;
}

export function stop() {
  audio.pause();
  silenceVoice();
  audio.currentTime = 0;
}

export function seek(to_s) {
  audio.currentTime = Math.min(Math.max(to_s, 0), duration_s());
  if (voice?.isSounding) repeatFrom(audio.currentTime);
}

export const repeatedPart = () => part;

// Repeat only from one place to another, both in seconds, or without arguments as before.
export function setPart(from_s, to_s) {
  if (!part) wasLoop = audio.loop;
  part = from_s === undefined ? null : [from_s, to_s];
  const at_s = position_s();
  if (!part && !wasLoop) {
    silenceVoice();
    audio.currentTime = at_s;
  }
  setLoop(part ? true : wasLoop);
  if (voice?.isSounding) repeatFrom(at_s);
}

export function setLoop(on) {
  audio.loop = on;
  if (!on) part = null;
  if (voice?.isSounding) voice.setLoop(on);
  else if (!audio.paused) repeatWithoutGap();
}

export function setVolume(value) {
  volume = value;
  audio.volume = value;
  voice?.setVolume(value);
}

// Forget the sound, so that the next press loads it again.
export function forget() {
  silenceVoice();
  source = null;
}

// The browser can only seek once it knows how long the sound is.
function knownLength() {
  if (audio.error || audio.readyState >= HTMLMediaElement.HAVE_METADATA) return null;
  return new Promise((resolve) => {
    for (const name of ["loadedmetadata", "error"]) audio.addEventListener(name, resolve, { once: true });
  });
}

// Called when the element plays, so that the samples of a loop do not keep its first sound waiting.
async function repeatWithoutGap() {
  if (!audio.loop) return;
  const wanted = source;
  await Promise.all([loadBuffer(wanted), makeVoice()]);
  if (source === wanted) startVoice();
}

async function makeVoice() {
  const context = await audioContext();
  if (voice) return;
  voice = new LoopVoice(context);
  voice.setVolume(volume);
  // A call or another app may take the output away; the element is heard again then.
  context.addEventListener("statechange", () => { if (context.state !== "running") silenceVoice(); });
}

function startVoice() {
  const buffer = bufferOf(source);
  if (!buffer || !audio.loop || audio.paused || voice.isSounding) return;
  // What the voice starts now is heard after the latency of the output.
  const latency_s = audio.currentTime ? voice.context.outputLatency || 0 : 0;
  repeatFrom(audio.currentTime && audio.currentTime + latency_s);
  audio.muted = true;
}

function repeatFrom(at_s) {
  const buffer = bufferOf(source);
  const repeated = part ?? [0, buffer.duration];
  const isInside = at_s >= repeated[0] && at_s < repeated[1];
  voice.start(buffer, isInside ? at_s : repeated[0], repeated);
}

function silenceVoice() {
  voice?.stop();
  audio.muted = false;
}

audio?.addEventListener("playing", repeatWithoutGap);
