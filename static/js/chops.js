// The cuts of a sound: drag, move by key, add, remove and hear them. The form works without this module.
import { arrowFrames, dragMarker, frameAt, placeMarker } from "./wave_markers.js";

const STEP_S = 0.001;
let audio = null; // { context, buffer, source } once the first slice was asked for

const seconds = (area, frame) => frame / Number(area.dataset.rate);
const framesOf = (area) => Number(area.dataset.frames);
const markersOf = (area) => [...area.querySelectorAll(".chop-marker")];
const cutsOf = (area) => [0, ...markersOf(area).map((marker) => Number(marker.value))].sort((a, b) => a - b);

function place(area, marker, frame) {
  const inside = Math.min(Math.max(Math.round(frame), 1), framesOf(area) - 1);
  marker.value = inside;
  placeMarker(area, marker, inside);
  marker.setAttribute("aria-label", `Cut at ${seconds(area, inside).toFixed(3)} s`);
}

function addMarker(area, frame) {
  const marker = document.createElement("button");
  marker.type = "button";
  marker.className = "chop-marker";
  place(area, marker, frame);
  area.append(marker);
  return marker;
}

// The text field is what the server reads.
function writeCuts(area) {
  const written = cutsOf(area).map((cut) => seconds(area, cut).toFixed(4)).join(" ");
  document.getElementById("cuts").value = written;
  // What else the page says belongs to the cuts as they were.
  for (const part of document.querySelectorAll("[data-of-cuts]")) part.hidden = true;
  document.querySelector("[data-stale]").hidden = false;
}

async function playSlice(area, first, last) {
  audio ??= { context: new AudioContext() };
  await audio.context.resume();
  if (!audio.buffer) {
    const response = await fetch(area.dataset.src);
    if (!response.ok) return;
    audio.buffer = await audio.context.decodeAudioData(await response.arrayBuffer());
  }
  audio.source?.stop();
  const source = audio.context.createBufferSource();
  source.buffer = audio.buffer;
  source.connect(audio.context.destination);
  source.start(0, seconds(area, first), seconds(area, last - first));
  audio.source = source;
}

function playAfter(area, cut) {
  const next = cutsOf(area).find((other) => other > cut) ?? framesOf(area);
  playSlice(area, cut, next);
}

function onKey(area, marker, event) {
  const moved = arrowFrames(event, STEP_S, Number(area.dataset.rate));
  if (moved) place(area, marker, Number(marker.value) + moved);
  else if (event.key === "Delete" || event.key === "Backspace") {
    const others = markersOf(area);
    const neighbour = others[others.indexOf(marker) + 1] ?? others[others.indexOf(marker) - 1];
    marker.remove();
    neighbour?.focus();
  } else return;
  event.preventDefault();
  event.stopPropagation();
  writeCuts(area);
}

function drag(area, marker, event) {
  dragMarker(area, marker, event, {
    move: (frame) => place(area, marker, frame),
    done: () => writeCuts(area),
  });
}

function prepare(area) {
  if (area.querySelector(".chop-marker")) return;
  const field = document.getElementById("cuts");
  for (const word of field.value.trim().split(/\s+/)) {
    const frame = Math.round(Number(word) * Number(area.dataset.rate));
    if (frame > 0) addMarker(area, frame);
  }
  audio = audio && { context: audio.context }; // another sound may be on the page now
  area.addEventListener("pointerdown", (event) => {
    const marker = event.target.closest(".chop-marker");
    if (marker) drag(area, marker, event);
  });
  area.addEventListener("keydown", (event) => {
    const marker = event.target.closest(".chop-marker");
    if (marker) onKey(area, marker, event);
  });
  area.addEventListener("click", (event) => {
    const marker = event.target.closest(".chop-marker");
    if (marker) playAfter(area, Number(marker.value));
  });
  area.addEventListener("dblclick", (event) => {
    if (event.target.closest(".chop-marker")) return;
    addMarker(area, frameAt(area, event.clientX)).focus();
    writeCuts(area);
  });
}

document.addEventListener("click", (event) => {
  const button = event.target.closest('[data-action="play-slice"]');
  const area = button && document.querySelector("[data-chops]");
  if (area) playSlice(area, Number(button.dataset.first), Number(button.dataset.last));
});

function prepareAll() {
  for (const area of document.querySelectorAll("[data-chops]")) prepare(area);
}
document.addEventListener("htmx:afterSettle", prepareAll);
prepareAll();
