// The player: what a press of a row, a key or a button of the bar does. The playing row is marked.
//
// Other modules use `player` below, and two events of the document: "player:change" when another sound is chosen, and
// when the sound starts, stops, or its length becomes known; "player:move" when its position moves.
import * as playback from "./playback.js";
import { followLike, likePlaying, showPeaks, showPlace, showPlaying, showSound } from "./player_bar.js";
import { prefetch } from "./sound_files.js";
import { elementOf, rowsBelow, soundOf, soundRows } from "./sound_rows.js";
import { toast } from "./toast.js";

const bar = document.getElementById("player");
const { audio } = playback;
const SNAP_TO_START = 0.02;
const SEEK_STEP = 0.05;
const PREFETCHED_ROWS = 2;
const VOLUME = "volume";
let current = null; // the sound that was chosen last
let drawn = null; // the sound whose waveform is in the bar
let isMoving = false;

export const currentRow = () => (current ? elementOf(current.src) : null);

export const player = {
  // The `data-src` of the element whose sound was chosen last, or null.
  get source() { return current?.src ?? null; },
  get isPlaying() { return Boolean(current) && !audio.paused; },
  get position_s() { return current ? playback.position_s() : 0; },
  // 0 until it is known.
  get duration_s() { return current ? playback.duration_s() : 0; },
  play,
  toggle,
  stop,
  seek(to_s) {
    if (!current) return;
    playback.seek(to_s);
    tell("move");
  },
  // The part that repeats, or null.
  get part() { return current ? playback.repeatedPart() : null; },
  // Repeat a part of the sound, from one place to another in seconds; without them, what was repeated before.
  repeat(from_s, to_s) {
    if (!current) return;
    playback.setPart(from_s, to_s);
    tell("change");
  },
};

const tell = (name) => document.dispatchEvent(new CustomEvent(`player:${name}`));

// Play an element's sound from `at`, a share of its length. The browser loads it first, and draws it after that.
export function play(element, { at = 0 } = {}) {
  const sound = soundOf(element);
  const isNew = current?.src !== sound.src;
  if (isNew) {
    current = sound;
    setVolume();
  }
  playback.start(sound, at);
  if (isNew) setTimeout(() => introduce(sound));
}

function introduce(sound) {
  if (sound !== current) return;
  showSound(sound);
  tell("change");
}

export function toggle() {
  if (!current) return;
  if (audio.paused) playback.play();
  else playback.pause();
}

export function pause() {
  if (player.isPlaying) playback.pause();
}

export function stop() {
  if (current) playback.stop();
}

// Sounds that are compared bring a factor that makes them equally loud.
function setVolume() {
  playback.setVolume(bar.querySelector('[data-player="volume"]').value * (current?.gain ?? 1));
}

function markPlaying() {
  for (const element of document.querySelectorAll("[data-src]")) {
    const isCurrent = element.dataset.src === current?.src;
    element.classList.toggle("playing", isCurrent);
    element.classList.toggle("sounding", isCurrent && player.isPlaying);
  }
  showPlaying(player.isPlaying, audio.loop);
}

// The line that moves over the waveform of the playing row.
function movePlayhead() {
  const area = currentRow()?.querySelector(".col-wave, .shaped-row .seek");
  let head = document.querySelector(".row .playhead");
  if (!area || !player.duration_s) {
    head?.remove();
    return;
  }
  if (head?.parentElement !== area) {
    head?.remove();
    head = document.createElement("span");
    head.className = "playhead";
    area.append(head);
  }
  head.style.setProperty("--share", player.position_s / player.duration_s);
}

function move() {
  showPlace(player.position_s, player.duration_s);
  movePlayhead();
}

function keepMoving() {
  isMoving = player.isPlaying;
  if (!isMoving) return;
  tell("move");
  requestAnimationFrame(keepMoving);
}

function followAudio() {
  tell("change");
  tell("move");
  if (!isMoving) keepMoving();
}

// Once it plays, there is time for its waveform, and for what may be played next.
function lookAhead() {
  if (!current || drawn === current) return;
  drawn = current;
  showPeaks(current);
  prefetch(rowsBelow(currentRow(), PREFETCHED_ROWS).map(soundOf), current.src);
}

export function neighbour(step) {
  const rows = soundRows();
  const at = rows.indexOf(currentRow());
  return rows[at === -1 ? 0 : at + step] ?? null;
}

// Where in an element a click was, from 0 to 1. Near the left edge it counts as the very start.
function clickedShare(event, element) {
  const box = (element.querySelector(".wave") ?? element).getBoundingClientRect();
  const share = (event.clientX - box.left) / box.width;
  return share < SNAP_TO_START ? 0 : Math.min(share, 1);
}

const actions = {
  play(button) {
    const row = button.closest("[data-src]");
    if (current?.src === row.dataset.src) toggle();
    else play(row);
  },
  seek(area, event) {
    const row = area.closest("[data-src]");
    play(row, { at: clickedShare(event, area) });
  },
  "seek-playing": (area, event) => {
    player.seek(clickedShare(event, area) * player.duration_s);
    playback.play();
  },
  toggle,
  previous: () => neighbour(-1) && play(neighbour(-1)),
  next: () => neighbour(1) && play(neighbour(1)),
  loop() {
    playback.setLoop(!audio.loop);
    tell("change");
  },
  "like-playing": () => likePlaying(currentRow()),
};

// The waveform of the bar is a slider.
const seekKeys = {
  ArrowLeft: () => player.position_s - SEEK_STEP * player.duration_s,
  ArrowRight: () => player.position_s + SEEK_STEP * player.duration_s,
  Home: () => 0,
};

function onSliderKey(event) {
  const target_s = event.target.matches('[data-player="seek"]') && seekKeys[event.key]?.();
  if (typeof target_s !== "number") return;
  event.preventDefault();
  player.seek(target_s);
}

// The link has expired or the network is down. Forgetting the sound makes the next press load it again.
function onError() {
  if (!current) return;
  toast(`Can't play ${current.name} right now. Try again.`);
  playback.forget();
  current = null;
}

function follow() {
  document.addEventListener("click", (event) => {
    const target = event.target.closest("[data-action]");
    const action = target && actions[target.dataset.action];
    if (!action || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    action(target, event);
  });
  document.addEventListener("keydown", onSliderKey);
  for (const name of ["play", "pause", "ended", "loadstart", "durationchange", "seeking"]) {
    audio.addEventListener(name, followAudio);
  }
  audio.addEventListener("playing", lookAhead);
  audio.addEventListener("error", onError);
  document.addEventListener("player:change", markPlaying);
  document.addEventListener("player:move", move);
  document.addEventListener("htmx:afterSettle", markPlaying);
  document.addEventListener("htmx:afterRequest", () => setTimeout(() => followLike(currentRow()))); // the heart is new
  const volume = bar.querySelector('[data-player="volume"]');
  volume.value = localStorage.getItem(VOLUME) ?? volume.value;
  setVolume();
  volume.addEventListener("input", () => {
    setVolume();
    localStorage.setItem(VOLUME, volume.value);
  });
}

if (bar) follow();
