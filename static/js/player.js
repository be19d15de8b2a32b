// The player: one sound at a time. The playing row is marked, and its waveform is shown in the bar.
import WaveSurfer from "../vendor/wavesurfer.esm.js";
import { toast } from "./toast.js";

const bar = document.getElementById("player");
const audio = document.getElementById("sound");
const SNAP_TO_START = 0.02;
const VOLUME = "volume";
let wave = null;
let gainFactor = 1;
let current = null; // the source of the sound that was chosen last

const part = (name) => bar.querySelector(`[data-player="${name}"]`);
const clock = (s) => `${Math.floor(s / 60)}:${String(Math.floor(s % 60)).padStart(2, "0")}`;

// htmx may have replaced the row since it began to play, so it is looked up by its source.
// What plays is a row of the library or the play button of a job card.
const rowOf = (source) => document.querySelector(`[data-src="${CSS.escape(source)}"]`);
export const currentRow = () => (current ? rowOf(current) : null);

export async function play(element, { at = 0 } = {}) {
  const { src, name, facts = "", href = "", peaks, loop = "0", gain = "1" } = element.dataset;
  if (current !== src) {
    current = src;
    bar.hidden = false;
    part("name").textContent = name;
    part("facts").textContent = facts;
    part("link").href = href || "#";
    setLoop(loop === "1");
    setGain(Number(gain));
    await load(src, peaks);
  }
  await loadedLength();
  if (current !== src) return; // another row was chosen while this one loaded
  audio.currentTime = at * (audio.duration || 0);
  await audio.play().catch(() => {}); // the error event tells the user
}

// The browser can only seek once it knows how long the sound is.
function loadedLength() {
  if (audio.error || audio.readyState >= HTMLMediaElement.HAVE_METADATA) return null;
  return new Promise((resolve) => {
    for (const name of ["loadedmetadata", "error"]) audio.addEventListener(name, resolve, { once: true });
  });
}

export function toggle() {
  if (!current) return;
  if (audio.paused) audio.play().catch(() => {});
  else audio.pause();
}

export function stop() {
  if (!audio) return;
  audio.pause();
  audio.currentTime = 0;
}

async function load(src, peaksUrl) {
  let peaks = null;
  let duration;
  if (peaksUrl) {
    const response = await fetch(peaksUrl).catch(() => null);
    if (response?.ok) {
      const found = await response.json();
      peaks = [found.peaks.map((height) => height / 255)];
      duration = found.duration_s;
    }
  }
  if (current !== src) return;
  const url = new URL(src, location.href).href; // wavesurfer compares full URLs
  wave ??= makeWave(); // before there is a source, because it would fetch that
  audio.src = url;
  // Without peaks the waveform stays flat: the file itself is not downloaded just to draw it.
  await wave.load(url, peaks ?? [[0, 0]], duration ?? 1).catch(() => {});
}

function makeWave() {
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const made = WaveSurfer.create({
    container: "#player-wave",
    media: audio,
    height: 44,
    barWidth: 2,
    barGap: 1,
    waveColor: colour("--wave"),
    progressColor: colour("--accent"),
    cursorColor: colour("--text"),
    cspNonce: document.querySelector('meta[name="style-nonce"]').content,
  });
  made.on("interaction", (time) => {
    if (time < made.getDuration() * SNAP_TO_START) audio.currentTime = 0;
    audio.play().catch(() => {});
  });
  return made;
}

function setLoop(on) {
  audio.loop = on;
  bar.querySelector('[data-action="loop"]').setAttribute("aria-pressed", String(on));
}

// Sounds that are compared bring a factor that makes them equally loud.
function setGain(factor) {
  gainFactor = factor;
  audio.volume = part("volume").value * gainFactor;
}

function markPlaying() {
  const row = currentRow();
  for (const other of document.querySelectorAll(".playing, .sounding")) {
    if (other !== row) other.classList.remove("playing", "sounding");
  }
  row?.classList.add("playing");
  row?.classList.toggle("sounding", !audio.paused);
  bar.querySelector('[data-action="toggle"]').setAttribute("aria-pressed", String(!audio.paused));
}

export function neighbour(step) {
  const rows = [...document.querySelectorAll(".row[data-src]")];
  const at = rows.indexOf(currentRow());
  return rows[at === -1 ? 0 : at + step] ?? null;
}

// Where in an element a click was, from 0 to 1. Near the left edge it counts as the very start.
function clickedShare(event, element) {
  const box = element.getBoundingClientRect();
  const share = (event.clientX - box.left) / box.width;
  return share < SNAP_TO_START ? 0 : Math.min(share, 1);
}

const actions = {
  play(button) {
    const row = button.closest("[data-src]");
    if (current === row.dataset.src) toggle();
    else play(row);
  },
  seek(area, event) {
    const row = area.closest("[data-src]");
    play(row, { at: clickedShare(event, area) });
  },
  toggle,
  previous: () => neighbour(-1) && play(neighbour(-1)),
  next: () => neighbour(1) && play(neighbour(1)),
  loop: () => setLoop(!audio.loop),
};

if (bar) {
  document.addEventListener("click", (event) => {
    const target = event.target.closest("[data-action]");
    const action = target && actions[target.dataset.action];
    if (!action || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    action(target, event);
  });
  for (const name of ["play", "pause", "ended", "loadstart"]) audio.addEventListener(name, markPlaying);
  // The link has expired or the network is down. Forgetting the sound makes the next press load it again.
  audio.addEventListener("error", () => {
    if (!current) return;
    toast(`Can't play ${part("name").textContent} right now. Try again.`);
    current = null;
  });
  audio.addEventListener("timeupdate", () => { part("time").textContent = clock(audio.currentTime); });
  document.addEventListener("htmx:afterSettle", markPlaying);
  const volume = part("volume");
  volume.value = localStorage.getItem(VOLUME) ?? volume.value;
  setGain(1);
  volume.addEventListener("input", () => {
    setGain(gainFactor);
    localStorage.setItem(VOLUME, volume.value);
  });
}
