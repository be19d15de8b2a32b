// Drag a pad to another to exchange them, with Alt to copy; drag a sample onto a pad to place it.
import { sendChange } from "./kit_changes.js";
import { isPlaying } from "./kit_parts.js";

let dragged = null;
let pointerType = "mouse";

function drop(to, { pad, sample }, isCopy) {
  if (sample) sendChange(`pads/${to}/place`, { sample });
  else if (to !== pad) sendChange(`pads/${pad}/${isCopy ? "copy" : "exchange"}`, { to });
}

addEventListener("pointerdown", (event) => { pointerType = event.pointerType; }, { capture: true });

document.addEventListener("dragstart", (event) => {
  const pad = event.target.closest?.("#pads [data-sample]");
  const sample = event.target.closest?.("[data-drag-sample]");
  // A finger that rests on a pad while it plays is not meant to drag it.
  if (pad && isPlaying() && pointerType !== "mouse") event.preventDefault();
  else if (pad) dragged = { pad: pad.dataset.pad };
  else if (sample) dragged = { sample: sample.dataset.dragSample };
  else return;
  event.dataTransfer.effectAllowed = "all"; // with Alt, some systems ask for a link
  event.dataTransfer.setData("text/plain", "");
});

document.addEventListener("dragover", (event) => {
  if (!dragged || !event.target.closest?.("#pads [data-pad]")) return;
  event.preventDefault();
  event.dataTransfer.dropEffect = event.altKey ? "copy" : "move";
});

document.addEventListener("drop", (event) => {
  const target = event.target.closest?.("#pads [data-pad]");
  if (!dragged || !target) return;
  event.preventDefault();
  drop(target.dataset.pad, dragged, event.altKey);
});

document.addEventListener("dragend", () => { dragged = null; });
