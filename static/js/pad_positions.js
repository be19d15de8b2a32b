// The positions of an open pad on its waveform: start, end, loop top and chops, dragged or moved by keys. The number
// fields of its form are what is saved.
import { basePath } from "./base_path.js";
import { grid } from "./kit_parts.js";
import { hear } from "./pad_hearing.js";
import { chopsInForm, frameIn, settingField } from "./pad_form.js";
import { toast } from "./toast.js";
import { arrowFrames, dragMarker, placeMarker } from "./wave_markers.js";

const RATE = 48000;
const STEP_S = 0.005; // farther than a zero crossing is looked for, so that a step never falls back
const MOST_CHOPS = 16;
const REACH = 0.008; // of the width: an onset so near draws a dragged marker to it
const WORDS = { start: "Start", end: "End", loop_top: "Loop top", chop: "Chop" };

const areaOf = () => document.querySelector("[data-pad-wave]");
const lengthOf = (area) => Number(area.dataset.frames);
const onsetsOf = (area) => area.dataset.onsets.split(" ").filter(Boolean).map(Number);
const startFrame = () => frameIn("start") ?? 0;
const endFrame = (area) => Math.min(frameIn("end") ?? lengthOf(area), lengthOf(area));
const frameOf = (marker) => Number(marker.getAttribute("aria-valuenow"));
const markersOf = (area) => [...area.querySelectorAll("[role='slider']")];

// The first and last frame that a marker may be at.
function limitsOf(area, kind) {
  if (kind === "start") return [0, endFrame(area) - 1];
  if (kind === "end") return [startFrame() + 1, lengthOf(area)];
  if (kind === "loop_top") return [startFrame(), endFrame(area) - 1];
  return [1, lengthOf(area) - 1];
}

function setFrame(area, marker, frame) {
  const [least, most] = limitsOf(area, marker.dataset.kind);
  const inside = Math.max(Math.min(Math.round(frame), most), least);
  marker.setAttribute("aria-valuemin", least);
  marker.setAttribute("aria-valuemax", most);
  marker.setAttribute("aria-valuenow", inside);
  marker.setAttribute("aria-valuetext", `${(inside / RATE).toFixed(3)} s`);
  placeMarker(area, marker, inside);
}

function addMarker(area, kind, frame, flag) {
  const marker = document.createElement("span");
  marker.className = `chop-marker pad-marker ${kind}`;
  marker.tabIndex = 0;
  marker.dataset.kind = kind;
  marker.dataset.flag = flag;
  marker.setAttribute("role", "slider");
  marker.setAttribute("aria-label", kind === "chop" ? `${WORDS.chop} ${flag}` : WORDS[kind]);
  setFrame(area, marker, frame);
  area.append(marker);
}

// Draw the markers where the form says.
function draw(area) {
  const focused = markersOf(area).indexOf(document.activeElement);
  for (const marker of markersOf(area)) marker.remove();
  if (!lengthOf(area) || !settingField("start")) return;
  addMarker(area, "start", startFrame(), "S");
  addMarker(area, "end", endFrame(area), "E");
  if (settingField("loop").checked || frameIn("loop_top") !== null) {
    addMarker(area, "loop_top", frameIn("loop_top") ?? startFrame(), "L");
  }
  chopsInForm().filter((frame) => frame > 0).sort((a, b) => a - b)
    .forEach((frame, place) => addMarker(area, "chop", frame, place + 2));
  area.style.setProperty("--start", `${(100 * startFrame()) / lengthOf(area)}%`);
  area.style.setProperty("--end", `${(100 * endFrame(area)) / lengthOf(area)}%`);
  if (focused >= 0) markersOf(area)[Math.min(focused, markersOf(area).length - 1)].focus();
}

// Write the markers of one kind into the form.
function write(area, kind) {
  const frames = markersOf(area).filter((marker) => marker.dataset.kind === kind).map(frameOf);
  const [frame] = frames;
  if (kind === "chop") {
    const cuts = [...new Set([0, ...frames])].sort((a, b) => a - b);
    settingField("chops").value = frames.length ? cuts.join(", ") : "";
  } else if (kind === "end") settingField("end").value = frame === lengthOf(area) ? "" : frame;
  else settingField(kind).value = frame;
  // A loop top at the start is none.
  if (frameIn("loop_top") !== null && frameIn("loop_top") <= startFrame()) settingField("loop_top").value = "";
}

// Move a marker to the nearest zero crossing, which the server knows, and write it.
async function settle(area, marker) {
  const { kind } = marker.dataset;
  write(area, kind);
  const { kit } = grid().dataset;
  const url = `${basePath}/kits/${kit}/pads/${area.dataset.pad}/snap?frame=${frameOf(marker)}`;
  const asked = frameOf(marker);
  const response = await fetch(url).catch(() => null);
  const found = response?.ok ? await response.json() : null;
  if (!marker.isConnected || frameOf(marker) !== asked) return; // it was moved on meanwhile
  if (found) setFrame(area, marker, found.frame);
  write(area, kind);
  draw(area);
}

function nearOnset(area, frame) {
  const reach = REACH * lengthOf(area);
  return onsetsOf(area).find((onset) => Math.abs(onset - frame) < reach) ?? frame;
}

function nextOnset(area, frame, isForward) {
  const onsets = onsetsOf(area).filter((onset) => (isForward ? onset > frame + 1 : onset < frame - 1));
  return isForward ? onsets[0] : onsets.at(-1);
}

function addChop(area) {
  const cuts = [...new Set([0, ...chopsInForm()])].sort((a, b) => a - b);
  if (cuts.length >= MOST_CHOPS) {
    toast("The unit holds at most 16 chops on a pad.");
    return;
  }
  // In the middle of the longest chop, or at the hit nearest to it.
  const spans = cuts.map((cut, place) => [cut, cuts[place + 1] ?? lengthOf(area)]);
  const [first, last] = spans.reduce((longest, span) => (span[1] - span[0] > longest[1] - longest[0] ? span : longest));
  addChopAt(area, nearOnset(area, Math.round((first + last) / 2)));
}

function addChopAt(area, frame) {
  addMarker(area, "chop", frame, "");
  const added = markersOf(area).at(-1);
  added.focus();
  settle(area, added);
}

function onKey(event) {
  const marker = event.target.closest?.(".pad-marker");
  if (!marker || event.ctrlKey || event.metaKey || event.altKey) return;
  const area = areaOf();
  const frame = frameOf(marker);
  const isChop = marker.dataset.kind === "chop";
  const moved = arrowFrames(event, STEP_S, RATE);
  const onset = event.key === "PageUp" ? nextOnset(area, frame, true)
    : event.key === "PageDown" ? nextOnset(area, frame, false) : undefined;
  if (moved || onset !== undefined) {
    setFrame(area, marker, onset ?? frame + moved);
    settle(area, marker);
  } else if (isChop && (event.key === "Delete" || event.key === "Backspace")) {
    const others = markersOf(area);
    const next = others[others.indexOf(marker) - 1];
    marker.remove();
    write(area, "chop");
    next.focus();
    draw(area);
  } else if (isChop && event.key === "Enter") {
    hear(area, markersOf(area).filter((each) => each.dataset.kind === "chop").indexOf(marker) + 1);
  } else if (!event.key.startsWith("Page")) return;
  event.preventDefault();
  event.stopPropagation();
}

document.addEventListener("keydown", onKey, { capture: true });
document.addEventListener("pointerdown", (event) => {
  const marker = event.target.closest?.(".pad-marker");
  if (!marker) return;
  const area = areaOf();
  dragMarker(area, marker, event, {
    move: (frame) => setFrame(area, marker, nearOnset(area, frame)),
    done: () => settle(area, marker),
  });
});
document.addEventListener("dblclick", (event) => {
  const area = event.target.closest?.("[data-pad-wave]");
  if (!area || event.target.closest(".pad-marker") || !lengthOf(area)) return;
  const box = area.getBoundingClientRect();
  if (chopsInForm().length < MOST_CHOPS) {
    addChopAt(area, nearOnset(area, Math.round((lengthOf(area) * (event.clientX - box.left)) / box.width)));
  }
});
document.addEventListener("click", (event) => {
  if (event.target.closest("[data-pad-hear]")) hear(areaOf()).then((isNew) => isNew && draw(areaOf()));
  if (event.target.closest("[data-pad-add-chop]") && lengthOf(areaOf())) addChop(areaOf());
});
document.addEventListener("input", (event) => {
  if (areaOf() && event.target.closest("#pad-panel form.settings")) draw(areaOf());
});
const prepare = () => areaOf() && !markersOf(areaOf()).length && draw(areaOf());
document.addEventListener("htmx:afterSettle", prepare);
prepare();
