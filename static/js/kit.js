// The page of a kit: play mode with keys, pointer and MIDI, the beat strip, and pads that are dragged.
import { Beat } from "./beat.js";
import { csrfToken } from "./csrf.js";
import { PadEngine } from "./pad_engine.js";
import { toast } from "./toast.js";

const CODES = [
  "Digit1", "Digit2", "Digit3", "Digit4",
  "KeyQ", "KeyW", "KeyE", "KeyR",
  "KeyA", "KeyS", "KeyD", "KeyF",
  "KeyZ", "KeyX", "KeyC", "KeyV",
];
const SOFT = 70;
const FULL = 127;
const TRIES = 15;
const FAMILY_OF_PART = { kick: ["kick"], snare: ["snare"], hat: ["hat", "perc"] };

let player = null; // of the bank that is open
let selected = null; // the pad that the step strip writes

const grid = () => document.getElementById("pads");
const tools = () => document.getElementById("kit-tools");
const padAt = (place) => grid()?.querySelectorAll("[data-pad]")[place];
const isOn = () => document.body.dataset.playing === "1";
const control = (name) => tools().querySelector(`[data-kit-control="${name}"]`);

async function makePlayer() {
  const context = new AudioContext({ latencyHint: "interactive", sampleRate: 48000 });
  const engine = new PadEngine(context);
  const beat = new Beat(context, (pad, options) => hit(pad, options));
  beat.onStep = showStep;
  return { context, engine, beat, sounds: {} };
}

// A pad in time with the bank was stretched: its positions move with it.
function scaled(settings, factor) {
  if (factor === 1) return settings;
  const moved = { ...settings, chops: settings.chops.map((frame) => Math.round(frame * factor)) };
  for (const name of ["start", "end", "loop_top"]) {
    if (moved[name] !== null) moved[name] = Math.round(moved[name] * factor);
  }
  return moved;
}

async function loadSound(pad, { src, settings, frames }) {
  for (let tries = 0; tries < TRIES; tries += 1) {
    const response = await fetch(src);
    if (response.ok) {
      const buffer = await player.context.decodeAudioData(await response.arrayBuffer());
      const factor = settings.bpm_sync && frames ? buffer.length / frames : 1;
      player.engine.setPad(pad, buffer, scaled(settings, factor));
      return;
    }
    if (response.status !== 503) break;
    await new Promise((resolve) => { setTimeout(resolve, 1000 * Number(response.headers.get("Retry-After") ?? 1)); });
  }
  toast(`Pad ${pad} can't be heard as it is set. Its settings stay.`);
}

async function loadBank() {
  const { kit, bank } = grid().dataset;
  const response = await fetch(`/kits/${kit}/banks/${bank}/sounds`);
  if (!response.ok) return;
  const { pads, tempo_bpm: tempo } = await response.json();
  player.sounds = pads;
  player.beat.tempo_bpm = tempo;
  control("state").textContent = "Loading the sounds …";
  await Promise.all(Object.entries(pads).map(([pad, sound]) => loadSound(pad, sound)));
  control("state").textContent = "Play with 1234 QWER ASDF ZXCV";
}

function hit(pad, options) {
  player.engine.press(pad, options);
  const place = grid().querySelector(`[data-pad="${pad}"]`);
  const wait_ms = Math.max(((options.at ?? 0) - player.context.currentTime) * 1000, 0);
  setTimeout(() => {
    place?.classList.add("hit");
    setTimeout(() => place?.classList.remove("hit"), 90);
  }, wait_ms);
}

function press(pad, velocity) {
  if (!pad) return;
  pad.classList.add("held");
  select(pad.dataset.pad);
  hit(pad.dataset.pad, { velocity });
}

function release(pad) {
  if (!pad) return;
  pad.classList.remove("held");
  player.engine.release(pad.dataset.pad);
}

async function setPlaying(on) {
  document.body.dataset.playing = on ? "1" : "";
  control("play").setAttribute("aria-pressed", String(on));
  tools().classList.toggle("is-playing", on);
  if (!on) {
    player?.beat.stop();
    player?.engine.panic();
    return;
  }
  player ??= await makePlayer();
  await player.context.resume();
  await loadBank();
  select(grid().querySelector("[data-sample]")?.dataset.pad ?? null);
}

function select(pad) {
  selected = pad;
  const label = control("pad");
  if (label) label.textContent = pad ? `Steps of ${pad}` : "No sound to step";
  showSteps();
}

function showSteps() {
  const row = player?.beat.steps.get(selected) ?? [];
  tools().querySelectorAll("[data-step]").forEach((button, step) => {
    button.setAttribute("aria-pressed", String(Boolean(row[step])));
  });
}

function showStep(step) {
  tools()?.querySelectorAll("[data-step]").forEach((button, at) => button.classList.toggle("now", at === step));
}

function playingPart(part) {
  const families = FAMILY_OF_PART[part];
  const pad = families.map((family) => grid().querySelector(`.pad.${family}[data-sample]`)).find(Boolean);
  return pad?.dataset.pad ?? null;
}

const controls = {
  play: () => setPlaying(!isOn()),
  panic: () => player?.engine.panic(),
  beat() {
    const { beat } = player;
    if (beat.isPlaying) beat.stop();
    else beat.start();
    control("beat").setAttribute("aria-pressed", String(beat.isPlaying));
  },
  metronome() {
    player.beat.hasMetronome = !player.beat.hasMetronome;
    control("metronome").setAttribute("aria-pressed", String(player.beat.hasMetronome));
  },
  clear() {
    player.beat.clear();
    showSteps();
  },
  midi: connectMidi,
};

async function connectMidi() {
  if (!navigator.requestMIDIAccess) {
    toast("This browser has no MIDI input.");
    return;
  }
  try {
    const access = await navigator.requestMIDIAccess();
    for (const input of access.inputs.values()) input.onmidimessage = onMidi;
    control("midi").setAttribute("aria-pressed", "true");
  } catch {
    toast("MIDI was not allowed.");
  }
}

// Notes 48 to 51 are pads 1 to 4, 36 to 39 pads 13 to 16, as on the unit.
function onMidi({ data: [status, note, velocity] }) {
  const row = 3 - Math.floor((note - 36) / 4);
  const pad = note >= 36 && note <= 51 ? padAt(row * 4 + ((note - 36) % 4)) : null;
  if (!pad || !isOn()) return;
  const kind = status & 0xf0;
  if (kind === 0x90 && velocity) press(pad, velocity);
  else if (kind === 0x80 || kind === 0x90) release(pad);
}

const isTyping = (target) => target.closest?.("input, textarea, select, dialog[open]");

function onKey(event) {
  if (!isOn() || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
  const place = CODES.indexOf(event.code);
  if (event.code === "Escape" && event.type === "keydown") player.engine.panic();
  else if (place < 0) return;
  else if (event.type === "keyup") release(padAt(place));
  else if (!event.repeat) press(padAt(place), event.shiftKey ? SOFT : FULL);
  event.preventDefault();
  event.stopPropagation();
}

function onPointer(event) {
  const pad = event.target.closest?.("#pads [data-pad]");
  if (!pad || !isOn() || event.button) return;
  const box = pad.getBoundingClientRect();
  const height = (box.bottom - event.clientY) / box.height; // the higher, the louder
  press(pad, Math.round(50 + 77 * Math.min(Math.max(height, 0), 1)));
  const letGo = () => release(pad);
  addEventListener("pointerup", letGo, { once: true });
  addEventListener("pointercancel", letGo, { once: true });
}

// Drag a pad to another to exchange them, with Alt to copy; drag a sample onto a pad to place it.
async function drop(target, { pad, sample }, isCopy) {
  const { kit, revision } = grid().dataset;
  const base = `/kits/${kit}/pads/`;
  const to = target.dataset.pad;
  const url = sample ? `${base}${to}/place` : `${base}${pad}/${isCopy ? "copy" : "exchange"}`;
  const body = new URLSearchParams(sample ? { sample, revision } : { to, revision });
  const response = await fetch(url, { method: "POST", headers: { "X-CSRFToken": csrfToken }, body });
  if (response.ok) location.assign(response.url);
  else if (response.status === 409) location.reload();
  else toast("That did not work. Nothing was changed.");
}

function prepare() {
  if (!grid() || !tools() || grid().dataset.isReady) return;
  grid().dataset.isReady = "1";
  tools().hidden = false;
  let dragged = null;
  document.addEventListener("dragstart", (event) => {
    const pad = event.target.closest?.("#pads [data-sample]");
    const offered = event.target.closest?.("[data-drag-sample]");
    if (isOn()) event.preventDefault();
    else if (pad) dragged = { pad: pad.dataset.pad };
    else if (offered) dragged = { sample: offered.dataset.dragSample };
    else return;
    event.dataTransfer.effectAllowed = "all"; // with Alt, some systems ask for a link
    event.dataTransfer.setData("text/plain", "");
  });
  grid().addEventListener("dragover", (event) => {
    if (!dragged || !event.target.closest("[data-pad]")) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = event.altKey ? "copy" : "move";
  });
  grid().addEventListener("drop", (event) => {
    const target = event.target.closest("[data-pad]");
    if (!dragged || !target) return;
    event.preventDefault();
    if (target.dataset.pad !== dragged.pad) drop(target, dragged, event.altKey);
    dragged = null;
  });
  grid().addEventListener("click", (event) => {
    if (isOn()) event.preventDefault();
  });
  tools().addEventListener("click", (event) => {
    const name = event.target.closest("[data-kit-control]")?.dataset.kitControl;
    controls[name]?.();
    const step = event.target.closest("[data-step]");
    if (step && selected) {
      const velocity = player.beat.toggleStep(selected, Number(step.dataset.step));
      step.setAttribute("aria-pressed", String(Boolean(velocity)));
    }
  });
  control("groove").addEventListener("change", ({ target }) => {
    if (!target.value) return;
    player.beat.load(target.value, playingPart);
    showSteps();
  });
  addEventListener("keydown", onKey, { capture: true });
  addEventListener("keyup", onKey, { capture: true });
  grid().addEventListener("pointerdown", onPointer);
}

prepare();
