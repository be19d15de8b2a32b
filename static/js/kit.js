// The page of a kit: play mode with keys, pointer and MIDI, the beat strip, and pads that are dragged.
import { Beat } from "./beat.js";
import { loadSounds } from "./kit_sounds.js";
import { PadEngine } from "./pad_engine.js";
import { prepareDragging } from "./pad_dragging.js";
import { preparePatterns } from "./patterns.js";
import { toast } from "./toast.js";

const CODES = [
  "Digit1", "Digit2", "Digit3", "Digit4",
  "KeyQ", "KeyW", "KeyE", "KeyR",
  "KeyA", "KeyS", "KeyD", "KeyF",
  "KeyZ", "KeyX", "KeyC", "KeyV",
];
const SOFT = 70;
const FULL = 127;
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
  const beat = new Beat(context, hit, () => engine.endSteps());
  beat.onStep = showStep;
  return { context, engine, beat };
}

async function loadBank() {
  const state = control("state");
  state.textContent = "Loading the sounds …";
  const { kit, bank } = grid().dataset;
  const isLoaded = await loadSounds(player, `/kits/${kit}/banks/${bank}/sounds`);
  state.textContent = isLoaded
    ? "Play with 1234 QWER ASDF ZXCV"
    : "The sounds can't be loaded right now. Turn play mode off and on to try again.";
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

function releaseAll() {
  for (const pad of grid().querySelectorAll(".pad.held")) release(pad);
}

async function setPlaying(on) {
  document.body.dataset.playing = on ? "1" : "";
  control("play").setAttribute("aria-pressed", String(on));
  tools().classList.toggle("is-playing", on);
  if (!on) {
    releaseAll();
    player?.beat.stop();
    player?.engine.panic();
    control("beat").setAttribute("aria-pressed", "false");
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

// Swing as producers say it: 50 % is straight, 75 % puts every second step half a step late.
const showSwing = () => { control("swing").value = String(Math.round(50 + 50 * player.beat.late)); };

async function showBeat(beat) {
  if (!isOn()) await setPlaying(true);
  player.beat.show(beat);
  control("groove").value = "";
  showSwing();
  select(Object.keys(beat.steps)[0] ?? null);
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
  if (!isOn()) return;
  const place = CODES.indexOf(event.code);
  const pad = place < 0 ? null : padAt(place);
  if (event.type === "keyup") {
    if (pad?.classList.contains("held")) release(pad); // also beside a modifier, or it would play on
    return;
  }
  if (event.key === "Meta") releaseAll(); // macOS tells of no key that is released beside it
  if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
  if (event.code === "Escape") player.engine.panic();
  else if (!pad) return;
  else if (!event.repeat) press(pad, event.shiftKey ? SOFT : FULL);
  event.preventDefault();
  event.stopPropagation();
}

function onPointer(event) {
  const pad = event.target.closest?.("#pads [data-pad]");
  if (!pad || !isOn() || event.button) return;
  const box = pad.getBoundingClientRect();
  const height = (box.bottom - event.clientY) / box.height; // the higher, the louder
  press(pad, Math.round(50 + 77 * Math.min(Math.max(height, 0), 1)));
  const listening = new AbortController();
  const letGo = ({ pointerId }) => {
    if (pointerId !== event.pointerId) return; // another finger
    listening.abort();
    release(pad);
  };
  for (const name of ["pointerup", "pointercancel"]) addEventListener(name, letGo, { signal: listening.signal });
}

function prepare() {
  if (!grid() || !tools() || grid().dataset.isReady) return;
  grid().dataset.isReady = "1";
  tools().hidden = false;
  prepareDragging(grid(), isOn);
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
    showSwing();
    showSteps();
  });
  control("swing").addEventListener("input", ({ target }) => {
    player.beat.late = (Number(target.value) - 50) / 50;
  });
  preparePatterns(() => player.beat, showBeat);
  addEventListener("keydown", onKey, { capture: true });
  addEventListener("keyup", onKey, { capture: true });
  addEventListener("blur", releaseAll); // what is released in another window is not told here
  grid().addEventListener("pointerdown", onPointer);
}

prepare();
