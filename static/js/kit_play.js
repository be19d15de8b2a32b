// Play mode: keys, pointer and MIDI play the pads of the open bank, and a strip of 16 steps plays a beat. Changes of the
// kit and another bank do not stop it: what is new is loaded while the rest plays on. Another page does.
import { Beat } from "./beat.js";
import { audioContext } from "./page_audio.js";
import { CODES, control, grid, isPlaying, isTyping, padElement, padElements, tools } from "./kit_parts.js";
import { BankSounds } from "./kit_sounds.js";
import { PadEngine } from "./pad_engine.js";
import { pause as pauseLibrary } from "./player.js";
import { toast } from "./toast.js";

const SOFT = 70;
const FULL = 127;
const FAMILY_OF_PART = { kick: ["kick"], snare: ["snare"], hat: ["hat", "perc"] };

let player = null; // { context, engine, beat, sounds }
let selected = null; // the pad that was played last: the strip writes its steps
let chopped = null; // the pad whose chops the 16 keys play, if any
let shown = ""; // the bank and revision that are loaded
const held = new Map(); // by the pad that is pressed: what it plays

export const selectedPad = () => selected;
export const beatOfSteps = () => player?.beat;

async function makePlayer() {
  const context = await audioContext();
  const engine = new PadEngine(context);
  const beat = new Beat(context, hit, () => engine.endSteps());
  beat.onStep = showStep;
  return { context, engine, beat, sounds: new BankSounds(context, engine) };
}

const address = () => `${grid().dataset.bank} ${grid().dataset.revision}`;

async function loadBank() {
  shown = address();
  const { beat, sounds } = player;
  const tempo_bpm = await sounds.load(grid().dataset, (pad) => beat.steps.has(pad));
  if (tempo_bpm !== null) beat.tempo_bpm = tempo_bpm;
  return tempo_bpm !== null;
}

function hit(pad, options) {
  player.engine.press(pad, options);
  const wait_ms = Math.max(((options.at ?? 0) - player.context.currentTime) * 1000, 0);
  setTimeout(() => {
    const element = padElement(options.chop === undefined ? pad : padElements()[options.chop].dataset.pad);
    element?.classList.add("hit");
    setTimeout(() => element?.classList.remove("hit"), 90);
  }, wait_ms);
}

function press(element, velocity) {
  if (!element || !player || held.has(element.dataset.pad)) return;
  const played = chopped
    ? { pad: chopped, chop: padElements().indexOf(element) }
    : { pad: element.dataset.pad };
  if (chopped && played.chop >= chopsOf(chopped)) return;
  held.set(element.dataset.pad, played);
  element.classList.add("held");
  if (!chopped) select(played.pad);
  hit(played.pad, { velocity, chop: played.chop });
}

function release(name) {
  const played = held.get(name);
  if (!played) return;
  held.delete(name);
  padElement(name)?.classList.remove("held");
  player.engine.release(played.pad, { chop: played.chop });
}

function releaseAll() {
  for (const name of [...held.keys()]) release(name);
}

async function setPlaying(on) {
  if (on) pauseLibrary();
  document.body.dataset.playing = on ? "1" : "";
  control("play").setAttribute("aria-pressed", String(on));
  tools().classList.toggle("is-playing", on);
  if (!on) {
    releaseAll();
    setChopped(null);
    player?.beat.stop();
    player?.engine.panic();
    control("beat").setAttribute("aria-pressed", "false");
    return;
  }
  player ??= await makePlayer();
  await player.context.resume();
  if (!isPlaying()) return; // another page was opened meanwhile
  const state = control("state");
  state.textContent = "Loading the sounds …";
  player.sounds.retry();
  const isLoaded = await loadBank();
  if (!isPlaying()) return;
  state.textContent = isLoaded
    ? "Play with 1234 QWER ASDF ZXCV"
    : "The sounds can't be loaded right now. Turn play mode off and on to try again.";
  select(padElement(selected) ? selected : firstFilled());
}

const firstFilled = () => grid().querySelector("[data-sample]")?.dataset.pad ?? null;

const chopsOf = (pad) => Number(padElement(pad)?.dataset.chopCount ?? 0);

function select(pad) {
  selected = pad;
  control("pad").textContent = pad ? `Steps of ${pad}` : "No sound to step";
  control("open").hidden = !pad;
  control("open").textContent = `Open ${pad}`;
  const count = pad ? chopsOf(pad) : 0;
  control("chops").hidden = !count;
  control("chops").textContent = `Play the ${count} chops of ${pad}`;
  showSteps();
}

// As on the unit, a pad with chops plays whole; in this view its chops lie on the 16 keys.
function setChopped(pad) {
  chopped = pad;
  control("chops").setAttribute("aria-pressed", String(Boolean(pad)));
  grid().classList.toggle("is-chopping", Boolean(pad));
  padElements().forEach((element, place) => {
    if (pad && place < chopsOf(pad)) element.dataset.chop = place + 1;
    else delete element.dataset.chop;
  });
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

export async function showBeat(beat) {
  if (!isPlaying()) await setPlaying(true);
  if (!isPlaying()) return;
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
  play: () => setPlaying(!isPlaying()),
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
  chops: () => setChopped(chopped ? null : selected),
  // A click on a pad plays it, so that its panel opens by this button.
  open: () => htmx.ajax("GET", padElement(selected).getAttribute("href"), {
    source: "#kit-page", target: "#pad-panel", swap: "outerHTML show:none",
  }),
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
  const pad = note >= 36 && note <= 51 ? padElements()[row * 4 + ((note - 36) % 4)] : null;
  if (!pad || !isPlaying()) return;
  const kind = status & 0xf0;
  if (kind === 0x90 && velocity) press(pad, velocity);
  else if (kind === 0x80 || kind === 0x90) release(pad.dataset.pad);
}

function onKey(event) {
  if (!isPlaying()) return;
  const place = CODES.indexOf(event.code);
  const pad = place < 0 ? null : padElements()[place];
  if (event.type === "keyup") {
    if (pad) release(pad.dataset.pad); // also beside a modifier, or it would play on
    return;
  }
  if (event.key === "Meta") releaseAll(); // macOS tells of no key that is released beside it
  if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
  if (event.code === "Escape") player?.engine.panic();
  else if (!pad) return;
  else if (!event.repeat) press(pad, event.shiftKey ? SOFT : FULL);
  event.preventDefault();
  event.stopPropagation();
}

function onPointer(event) {
  const pad = event.target.closest?.("#pads a[data-pad]");
  if (!pad || !isPlaying() || event.button) return;
  const box = pad.getBoundingClientRect();
  const height = (box.bottom - event.clientY) / box.height; // the higher, the louder
  press(pad, Math.round(50 + 77 * Math.min(Math.max(height, 0), 1)));
  const listening = new AbortController();
  const letGo = ({ pointerId }) => {
    if (pointerId !== event.pointerId) return; // another finger
    listening.abort();
    release(pad.dataset.pad);
  };
  for (const name of ["pointerup", "pointercancel"]) addEventListener(name, letGo, { signal: listening.signal });
}

function onClick(event) {
  if (isPlaying() && event.target.closest("#pads a[data-pad]")) {
    event.preventDefault();
    event.stopPropagation(); // or the pad would be opened too
    return;
  }
  const name = event.target.closest("[data-kit-control]")?.dataset.kitControl;
  controls[name]?.();
  const step = event.target.closest("[data-step]");
  if (step && selected && player) {
    const velocity = player.beat.toggleStep(selected, Number(step.dataset.step));
    step.setAttribute("aria-pressed", String(Boolean(velocity)));
  }
}

// The pads are new whenever one is opened or changed; after a change, some of their sounds too.
function follow() {
  if (!isPlaying() || !player) return;
  if (!shown.startsWith(grid().dataset.bank)) {
    releaseAll();
    setChopped(null);
  }
  for (const name of held.keys()) padElement(name)?.classList.add("held");
  if (chopped) setChopped(chopsOf(chopped) ? chopped : null);
  select(padElement(selected) ? selected : firstFilled());
  if (shown !== address()) loadBank();
}

// Another kit has its own beat.
function leave() {
  if (isPlaying()) setPlaying(false);
  [player, selected, shown] = [null, null, ""];
}

function onGroove({ target }) {
  if (target !== control("groove") || !target.value || !player) return;
  player.beat.load(target.value, playingPart);
  showSwing();
  showSteps();
}

addEventListener("click", onClick, { capture: true });
addEventListener("keydown", onKey, { capture: true });
addEventListener("keyup", onKey, { capture: true });
addEventListener("blur", releaseAll); // what is released in another window is not told here
addEventListener("pointerdown", onPointer);
document.addEventListener("htmx:afterSettle", follow);
document.addEventListener("page:leave", leave);
document.addEventListener("change", onGroove);
document.addEventListener("input", ({ target }) => {
  if (player && target === control("swing")) player.beat.late = (Number(target.value) - 50) / 50;
});
