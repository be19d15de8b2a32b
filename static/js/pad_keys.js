// Keys on the pads: arrows move from pad to pad, or walk the sounds alike while swapping is on.
import { sendChange } from "./kit_changes.js";
import { control, isPlaying, isTyping, padElements } from "./kit_parts.js";
import { selectedPad } from "./kit_play.js";

const COLUMNS = 4;
const STEPS = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -COLUMNS, ArrowDown: COLUMNS };

const isSwapping = () => control("swap")?.getAttribute("aria-pressed") === "true";
const focusedPad = () => document.activeElement?.closest?.("#pads [data-pad]");

// The pad that has the focus; while playing, else the one that was played last.
const swappedPad = () => focusedPad()?.dataset.pad ?? (isPlaying() ? selectedPad() : null);

function moveFocus(step) {
  const pads = padElements();
  pads[pads.indexOf(focusedPad()) + step]?.focus();
}

function onKey(event) {
  const step = STEPS[event.key];
  if (!step || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
  const isElsewhere = event.target.closest("[role='slider'], .row, .steps-row, [type='checkbox']");
  if (isSwapping() && swappedPad() && !isElsewhere) {
    sendChange(`pads/${swappedPad()}/swap`, { to: step < 0 ? "previous" : "next" });
  } else if (focusedPad()) moveFocus(step);
  else return;
  event.preventDefault();
  event.stopPropagation();
}

addEventListener("keydown", onKey, { capture: true });
document.addEventListener("click", (event) => {
  const button = event.target.closest('[data-kit-control="swap"]');
  button?.setAttribute("aria-pressed", String(!isSwapping()));
});
