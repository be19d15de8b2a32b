// Select several pads: by their checkboxes, by a click with Ctrl, ⌘ or Shift, or by X. What is done to them is a form.
import { grid, isPlaying, isTyping, padElements } from "./kit_parts.js";

let selected = new Set();
let bank = null; // whose pads are selected
let last = null; // the pad that was ticked last, where a range begins

const boxes = () => [...(grid()?.querySelectorAll(".pick-pad") ?? [])];
const boxOf = (pad) => grid().querySelector(`.pick-pad[value="${pad}"]`);

function update() {
  if (!grid()) return;
  selected = new Set(boxes().filter((box) => box.checked).map((box) => box.value));
  const count = selected.size;
  document.getElementById("pads-selected").textContent = `${count} ${count === 1 ? "pad" : "pads"}`;
}

function toggle(pad) {
  boxOf(pad).checked = !boxOf(pad).checked;
  last = pad;
  update();
}

function selectTo(pad) {
  const names = padElements().map((element) => element.dataset.pad);
  const [first, end] = [names.indexOf(last ?? pad), names.indexOf(pad)].sort((a, b) => a - b);
  for (const name of names.slice(first, end + 1)) boxOf(name).checked = true;
  last = pad;
  update();
}

function onClick(event) {
  const pad = event.target.closest?.("#pads a[data-pad]")?.dataset.pad;
  if (!pad || isPlaying() || !(event.ctrlKey || event.metaKey || event.shiftKey)) return;
  event.preventDefault();
  event.stopPropagation();
  if (event.shiftKey) selectTo(pad);
  else toggle(pad);
}

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || isPlaying() || isTyping(event.target)) return;
  const pad = event.target.closest?.("#pads a[data-pad]")?.dataset.pad;
  if (event.key === "Escape" && selected.size) for (const box of boxes()) box.checked = false;
  else if (event.key.toLowerCase() === "x" && pad) boxOf(pad).checked = !boxOf(pad).checked;
  else return;
  event.preventDefault();
  event.stopPropagation();
  update();
}

// The pads are new after a change: those of the same bank stay selected.
function restore() {
  if (!grid()) return;
  if (grid().dataset.bank === bank) for (const pad of selected) boxOf(pad).checked = true;
  bank = grid().dataset.bank;
  update();
}

addEventListener("click", onClick, { capture: true });
addEventListener("keydown", onKey, { capture: true });
document.addEventListener("change", (event) => {
  if (!event.target.matches(".pick-pad")) return;
  last = event.target.value;
  update();
});
document.addEventListener("htmx:afterSettle", restore);
document.addEventListener("page:leave", () => { [selected, bank, last] = [new Set(), null, null]; });
addEventListener("pageshow", update); // after Back, browsers restore the ticks
restore();
