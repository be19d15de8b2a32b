// The waveform of a sample's page as an instrument: the playhead, zoom, and a part that plays in a loop.
import { play, player } from "./player.js";
import { drawDetail, mostZoom } from "./wave_detail.js";
import { arrowFrames } from "./wave_markers.js";
import { nearestMark, readMarks, thinOut } from "./wave_marks.js";
import { contains, movedTo, placeOf, shareAt, WHOLE, zoomed } from "./wave_view.js";

const HEIGHT = 32;
const WIDTH = 800;
const STEP = 1.5; // zoom of one press
const DRAG_PX = 5;
const NEAR_PX = 8;
const SNAP_TO_START = 0.01;
const LEAST_S = 0.01;
const NEAR_S = 0.05;
const FINE_S = 0.001;
const MILLISECONDS = 1000;
const EDGES = ["from", "to"];

// What is shown of the sound `src`. It outlives the element, which htmx replaces when a value is saved.
let shown = { src: null, view: WHOLE, part: null };
let marks = null;
let isRepeated = false; // the player has been told of the part

const instrument = () => document.getElementById("instrument");
const piece = (name) => instrument().querySelector(`[data-wave="${name}"]`);
const stage = () => instrument().querySelector(".wave-stage");
const picture = () => stage().querySelector(".wave");
const duration = () => Number(instrument().dataset.duration);
const isChosen = () => player.source === instrument().dataset.src;
const position = () => (isChosen() ? player.position_s : 0);

const clamp = (value, least, most) => Math.min(Math.max(value, least), most);
const timeAt = (clientX) => {
  const box = stage().getBoundingClientRect();
  return shareAt(shown.view, clamp((clientX - box.left) / box.width, 0, 1)) * duration();
};
const seconds = (pixels) => (pixels / stage().clientWidth) * shown.view.span * duration();

function draw() {
  if (!instrument()) return; // it has left the page
  const { view } = shown;
  picture().setAttribute("viewBox", `${view.first * WIDTH} 0 ${view.span * WIDTH} ${HEIGHT}`);
  thinOut(picture(), marks.counts, stage().clientWidth / view.span);
  drawDetail(picture(), shown.src, view, draw);
  const pan = piece("pan");
  pan.hidden = view.span === 1;
  pan.max = 1 - view.span;
  pan.value = view.first;
  drawPart();
  drawPosition();
}

function drawPosition() {
  const at = position();
  const share = at / duration();
  const head = piece("head");
  head.hidden = !isChosen() || !contains(shown.view, share);
  head.style.left = `${100 * placeOf(shown.view, share)}%`;
  piece("position").textContent = at.toFixed(3);
  const surface = piece("surface");
  surface.setAttribute("aria-valuenow", at.toFixed(3));
  surface.setAttribute("aria-valuetext", `${at.toFixed(2)} seconds`);
}

function drawPart() {
  const { part, view } = shown;
  for (const name of ["part", "loop", ...EDGES]) piece(name).hidden = !part;
  if (!part) return;
  const [left, right] = EDGES.map((edge) => placeOf(view, part[edge] / duration()));
  piece("part").style.left = `${100 * clamp(left, 0, 1)}%`;
  piece("part").style.right = `${100 * (1 - clamp(right, 0, 1))}%`;
  for (const [edge, place] of [["from", left], ["to", right]]) {
    piece(edge).hidden = place < 0 || place > 1;
    piece(edge).style.left = `${100 * place}%`;
    piece(edge).setAttribute("aria-valuenow", part[edge].toFixed(3));
    piece(edge).setAttribute("aria-valuetext", `${part[edge].toFixed(3)} seconds`);
  }
  piece("loop-text").textContent = partWords(part);
}

function partWords({ from, to }) {
  const beats = marks.pulse.filter((time) => time >= from - LEAST_S && time < to - LEAST_S).length;
  const counted = beats ? `, ${beats} ${beats === 1 ? "beat" : "beats"}` : "";
  return `${from.toFixed(3)} – ${to.toFixed(3)} s${counted}`;
}

function show(view) {
  shown.view = view;
  draw();
}

function zoom(factor, at = null) {
  const { part, view } = shown;
  const places = [position() / duration(), part && (part.from + part.to) / 2 / duration()];
  const centre = places.find((share) => share && contains(view, share)) ?? view.first + view.span / 2;
  show(zoomed(view, factor, at ?? centre, mostZoom(shown.src, duration())));
}

// Choose the part from one time to the other; null for none.
function choosePart(from, to) {
  const [first, last] = [Math.min(from, to), Math.max(from, to)].map((time) => clamp(time, 0, duration()));
  shown.part = last - first >= LEAST_S ? { from: first, to: last } : null;
  drawPart();
  fillShapeForm();
}

function setPart(from, to) {
  choosePart(from, to);
  repeatPart();
}

// Tell the player of the part, which it forgets when another sound plays.
function repeatPart() {
  if (!isChosen()) return;
  const { part } = shown;
  isRepeated = Boolean(part);
  if (part) player.repeat(part.from, part.to);
  else if (player.part) player.repeat();
}

function moveEdge(edge, time) {
  const { from, to } = shown.part;
  if (edge === "from") choosePart(Math.min(time, to - LEAST_S), to);
  else choosePart(from, Math.max(time, from + LEAST_S));
}

const snapped = (time, event) => (event.altKey ? time : nearestMark(marks.all, time, seconds(NEAR_PX)));

function playFrom(time) {
  play(instrument(), { at: time < SNAP_TO_START * duration() * shown.view.span ? 0 : time / duration() });
}

// Without a drag a press plays from there; outside the part it ends the loop.
function click(time) {
  const { part } = shown;
  if (part && (time < part.from || time > part.to)) setPart(0, 0);
  playFrom(time);
}

// Call `move` with each place of a pressed pointer, and `end` when it is released.
function follow(element, event, { move, end }) {
  const following = new AbortController();
  const { signal } = following;
  element.setPointerCapture(event.pointerId);
  element.addEventListener("pointermove", move, { signal });
  element.addEventListener("pointerup", end, { signal });
  element.addEventListener("lostpointercapture", () => following.abort(), { signal });
}

function pressSurface(event) {
  const begun = event.clientX;
  const from = snapped(timeAt(begun), event);
  let isDrag = false;
  follow(event.target, event, {
    move(moved) {
      isDrag ||= Math.abs(moved.clientX - begun) > DRAG_PX;
      if (isDrag) choosePart(from, snapped(timeAt(moved.clientX), moved));
    },
    end() {
      if (!isDrag) click(timeAt(begun));
      else {
        if (shown.part) playFrom(shown.part.from);
        repeatPart();
      }
    },
  });
}

function press(event) {
  const target = event.target.closest("[data-wave]");
  if (event.button !== 0 || !target) return;
  const { wave } = target.dataset;
  if (wave === "surface") pressSurface(event);
  else if (EDGES.includes(wave)) {
    follow(target, event, { move: (moved) => moveEdge(wave, snapped(timeAt(moved.clientX), moved)), end: repeatPart });
  }
}

function moveHead(time) {
  const at = clamp(time, 0, duration());
  if (isChosen()) player.seek(at);
  else playFrom(at);
}

// The next mark in a direction, or a twentieth of what is shown where there is none.
function steppedTime(direction) {
  const at = position();
  const ahead = marks.pulse.filter((time) => direction * (time - at) > LEAST_S);
  if (!ahead.length) return at + (direction * shown.view.span * duration()) / 20;
  return direction > 0 ? Math.min(...ahead) : Math.max(...ahead);
}

const surfaceKeys = {
  ArrowLeft: () => moveHead(steppedTime(-1)),
  ArrowRight: () => moveHead(steppedTime(1)),
  Home: () => moveHead(0),
  End: () => moveHead(duration()),
};

function pressKey(event) {
  const { wave } = event.target.dataset;
  if (wave === "surface" && surfaceKeys[event.key]) surfaceKeys[event.key]();
  else if (EDGES.includes(wave) && event.key.startsWith("Arrow")) {
    moveEdge(wave, shown.part[wave] + arrowFrames(event, FINE_S, MILLISECONDS) / MILLISECONDS);
    repeatPart();
  } else return;
  event.preventDefault();
  event.stopPropagation();
}

const actions = {
  "zoom-in": () => zoom(STEP),
  "zoom-out": () => zoom(1 / STEP),
  "loop-from": () => setPart(position(), shown.part?.to > position() ? shown.part.to : duration()),
  "loop-to": () => setPart(shown.part?.from < position() ? shown.part.from : 0, position()),
  "loop-off": () => setPart(0, 0),
};
const keys = { "+": "zoom-in", "=": "zoom-in", "-": "zoom-out", "[": "loop-from", "]": "loop-to" };

function onPageKey(event) {
  const isTyping = event.target.closest('input:not([type="range"]), textarea, select, dialog[open]');
  if (!instrument() || isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
  if (keys[event.key]) actions[keys[event.key]]();
}

// A pinch on a trackpad zooms, and a sideways turn of the wheel moves along.
function turn(event) {
  const sideways = event.deltaX || (event.shiftKey ? event.deltaY : 0);
  if (event.ctrlKey) zoom(Math.exp(-event.deltaY / 100), timeAt(event.clientX) / duration());
  else if (sideways && shown.view.span < 1) show(movedTo(shown.view, shown.view.first + seconds(sideways) / duration()));
  else return;
  event.preventDefault();
}

// Whoever chooses another sound or turns the loop off ends the part for the player.
function keepPart() {
  if (!instrument()) return;
  if (!isChosen()) isRepeated = false;
  else if (shown.part && !player.part) {
    if (isRepeated) choosePart(0, 0);
    else repeatPart();
  }
}

// The picture follows the playhead. Until the player repeats the part without a gap, or where it can't, the playhead is
// moved back to its start.
function followSound() {
  if (!instrument()) return;
  const { part, view } = shown;
  const at = position();
  if (isChosen() && player.isPlaying) {
    // It can't be moved before the sound's length is known.
    const isOutside = part && player.duration_s > part.from && (at >= part.to || at < part.from - NEAR_S);
    if (isOutside) player.seek(part.from);
    if (!part && !contains(view, at / duration())) show(movedTo(view, at / duration()));
  }
  drawPosition();
}

// The part is the start and end that Shape takes.
function fillShapeForm() {
  for (const [name, edge] of [["start_s", "from"], ["end_s", "to"]]) {
    const field = document.querySelector(`.shape-panel [name="${name}"]`);
    if (field) field.value = shown.part?.[edge].toFixed(3) ?? "";
  }
}

function prepare() {
  const section = instrument();
  if (!section || section.dataset.isReady) return;
  section.dataset.isReady = "1";
  const { src } = section.dataset;
  if (shown.src !== src) shown = { src, view: WHOLE, part: null };
  marks = readMarks(picture(), duration());
  stage().addEventListener("pointerdown", press);
  stage().addEventListener("keydown", pressKey);
  stage().addEventListener("wheel", turn, { passive: false });
  piece("pan").addEventListener("input", () => show(movedTo(shown.view, Number(piece("pan").value))));
  section.addEventListener("click", (event) => {
    const button = event.target.closest("[data-wave-action]");
    if (button) actions[button.dataset.waveAction]();
  });
  new ResizeObserver(draw).observe(stage());
  draw();
}

document.addEventListener("keydown", onPageKey);
document.addEventListener("player:change", keepPart);
for (const name of ["player:move", "player:change"]) document.addEventListener(name, followSound);
document.addEventListener("htmx:afterSettle", (event) => {
  prepare();
  if (shown.part && event.target.closest?.(".shape-panel")) fillShapeForm();
});
prepare();
