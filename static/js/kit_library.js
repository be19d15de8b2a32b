// The library beside the pads: which of the two shows, rows that can be dragged, and A with the key of a pad.
import { sendChange } from "./kit_changes.js";
import { CODES, isPlaying, isTyping, padElements } from "./kit_parts.js";
import { currentRow } from "./player.js";

let placed = null; // the sample that waits for the key of its pad

const side = () => document.querySelector(".kit-side");
const rows = () => [...document.querySelectorAll("#kit-library .row")];
const sampleOf = (row) => row.id.replace("sample-", "");

function showSide(name) {
  side().dataset.side = name;
  side().scrollTop = 0;
  for (const button of side().querySelectorAll("[data-side-button]")) {
    button.setAttribute("aria-pressed", String(button.dataset.sideButton === name));
  }
}

function say(text) {
  const notices = document.getElementById("kit-notices");
  notices.replaceChildren();
  if (!text) return;
  const note = document.createElement("p");
  note.className = "notice asks";
  note.textContent = text;
  notices.append(note);
}

function beginPlacing(row) {
  placed = sampleOf(row);
  say(`Where does ${row.dataset.name} go? Press the key of a pad, 1234 QWER ASDF ZXCV, or click it. Esc stops.`);
}

function place(pad) {
  const sample = placed;
  placed = null;
  say("");
  if (pad) sendChange(`pads/${pad}/place`, { sample });
}

function onKey(event) {
  if (!side() || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
  if (placed) {
    const pad = padElements()[CODES.indexOf(event.code)]?.dataset.pad;
    if (!pad && event.key !== "Escape") return;
    place(pad);
  } else {
    if (isPlaying()) return;
    if (event.key === "/") showSide("library"); // and the key puts the cursor into the field
    const row = event.target.closest?.("#kit-library .row") ?? currentRow();
    if (event.key.toLowerCase() !== "a" || !row || !rows().includes(row)) return;
    beginPlacing(row);
  }
  event.preventDefault();
  event.stopImmediatePropagation();
}

function onClick(event) {
  const pad = event.target.closest?.("#pads a[data-pad]");
  if (placed && pad) {
    event.preventDefault();
    event.stopImmediatePropagation();
    place(pad.dataset.pad);
  } else if (pad && !isPlaying() && !(event.ctrlKey || event.metaKey || event.shiftKey)) showSide("pad");
  const button = event.target.closest?.("[data-side-button], [data-kit-control='open']");
  if (button) showSide(button.dataset.sideButton ?? "pad");
}

// The server knows what was asked: a chip that was removed takes its words out of the field.
function follow() {
  if (!side()) return;
  for (const row of rows()) {
    row.draggable = true;
    row.dataset.dragSample = sampleOf(row);
  }
  const field = document.getElementById("q");
  const asked = document.getElementById("kit-library").dataset.ask;
  if (field !== document.activeElement) field.value = asked;
}

addEventListener("keydown", onKey, { capture: true });
addEventListener("click", onClick, { capture: true });
document.addEventListener("htmx:afterSettle", follow);
document.addEventListener("page:leave", () => { placed = null; });
// The tempo stands beside the search form, among what is replaced.
document.addEventListener("change", ({ target }) => {
  if (target.matches("#kit-library .range input")) target.form.requestSubmit();
});
follow();
