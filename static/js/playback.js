// What is heard: one sound at a time. An <audio> element loads, seeks and pauses it. When its samples are here, a voice
// is heard, which starts at once and repeats without a gap, and the element runs along muted. A loop changes to it amid
// its first pass, when the samples come.
import { SoundVoice } from "./sound_voice.js";
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
  if (audio.muted && !audio.paused) playFrom(audio.currentTime);
}

export const repeatedPart = () => part;

// Repeat only from one place to another, both in seconds, or without arguments as before.
export function setPart(from_s, to_s) {
  if (!part) wasLoop = audio.loop;
  const at_s = position_s();
  part = from_s === undefined ? null : [from_s, to_s];
  setLoop(Boolean(part) || wasLoop);
  if (voice?.isSounding) playFrom(at_s);
}

export function setLoop(on) {
  audio.loop = on;
  if (!on) part = null;
  if (voice?.isSounding) {
    voice.setLoop(on);
    if (!on) audio.currentTime = voice.position_s; // it ends with the voice
  } else if (!audio.paused) prepareVoice();
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

// Called when the element plays, so that neither the voice nor the samples of a loop keep the first sound waiting.
async function prepareVoice() {
  const wanted = source;
  await Promise.all([makeVoice(), audio.loop && loadBuffer(wanted)]);
  if (source === wanted && audio.loop) startVoice();
}

async function makeVoice() {
  const context = await audioContext();
  if (voice) return;
  voice = new SoundVoice(context);
  voice.setVolume(volume);
  // A call or another app may take the output away; the element is heard again then.
  context.addEventListener("statechange", () => { if (context.state !== "running") silenceVoice(); });
}

function startVoice() {
  if (!bufferOf(source) || audio.paused || voice.isSounding) return;
  // What the voice starts now is heard after the latency of the output.
  const latency_s = audio.currentTime ? voice.context.outputLatency || 0 : 0;
  playFrom(audio.currentTime && audio.currentTime + latency_s);
  audio.muted = true;
}

function playFrom(at_s) {
  const buffer = bufferOf(source);
  const repeated = part ?? [0, buffer.duration];
  const isInside = at_s >= repeated[0] && at_s < repeated[1];
  voice.start(buffer, { offset_s: isInside ? at_s : repeated[0], loop: audio.loop, part: repeated });
}

function silenceVoice() {
  voice?.stop();
  audio.muted = false;
}

audio?.addEventListener("playing", prepareVoice);
