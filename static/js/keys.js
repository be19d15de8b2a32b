// Keyboard shortcuts. Text fields keep their keys; buttons and links keep the keys that press them.
import { openPage } from "./navigation.js";
import { fillMenu } from "./rows.js";
import { currentRow, neighbour, play, player, stop, toggle } from "./player.js";
import { elementOf, soundRows } from "./sound_rows.js";

const isSignedIn = "signedIn" in document.body.dataset;
const field = () => document.getElementById("q");
const targetRow = () => focusedRow() ?? currentRow();
let awaitsAnswer = false; // Enter was pressed in the search field: the first row that comes is next
let isTyped = false; // since the search was sent
let leftRow = null; // the id of the row that had the focus before htmx replaced it

// The sample beside the list stands for its row.
function focusedRow() {
  const row = document.activeElement?.closest?.(".row[data-src]");
  const opened = document.activeElement?.closest?.("#beside")?.querySelector(".instrument");
  return opened && (!row || row === opened) ? elementOf(opened.dataset.src) : row;
}

function goTo(row) {
  if (!row) return;
  if (document.body.dataset.autoplay === "1") play(row); // first, so that nothing keeps it waiting
  row.focus();
  row.scrollIntoView({ block: "nearest" });
}

function move(step) {
  const rows = soundRows();
  const from = rows.indexOf(targetRow());
  goTo(from === -1 ? rows[0] : rows[from + step]);
}

// The list has what is true on this page.
function showShortcuts() {
  const dialog = document.getElementById("keys");
  for (const line of dialog.querySelectorAll("[data-needs]")) {
    line.hidden = !document.querySelector(line.dataset.needs);
  }
  dialog.showModal();
}

function playOrPause() {
  const row = focusedRow();
  if (row && row.dataset.src !== player.source) play(row);
  else if (player.source) toggle(); // its row may be on another page
  else if (neighbour(0)) play(neighbour(0));
}

function openRow() {
  const row = focusedRow();
  if (row) openPage(row.dataset.href);
}

// On the page of one sample the link is beside its name.
function openSimilar() {
  fillMenu(targetRow());
  const link = targetRow()?.querySelector(".find-similar") ?? document.querySelector(".page-head .find-similar");
  if (link) openPage(link.href);
}

function openKits() {
  fillMenu(targetRow());
  const link = targetRow()?.querySelector(".add-to-kit") ?? document.querySelector(".page-head .add-to-kit");
  if (link) openPage(link.href);
}

const shortcuts = {
  ArrowDown: () => move(1),
  ArrowUp: () => move(-1),
  " ": playOrPause,
  Escape: stop,
  "/": () => field()?.focus(),
  l: () => targetRow()?.querySelector(".like button")?.click(),
  s: openSimilar,
  a: openKits,
  x: () => targetRow()?.querySelector(".pick")?.click(),
  Enter: openRow,
  "?": showShortcuts,
};

function isTyping(element) {
  return element.closest('input:not([type="checkbox"]), textarea, select, dialog[open]');
}

function keepsKey(element, key) {
  if (key === " ") return element.closest("button, summary, input");
  if (key === "Enter") return element.closest("button, summary, a, #beside") || !focusedRow();
  return key.startsWith("Arrow") && soundRows().length === 0;
}

// From the search field, ↓ goes to the first row, and Enter does when the answer is here. Esc leaves the field, and
// what was typed stays.
function pressInField(event) {
  const isAsking = isTyped || event.target.form.matches(".htmx-request");
  awaitsAnswer = event.key === "Enter" && isAsking;
  if (event.key === "Escape") event.target.blur();
  else if (event.key === "ArrowDown" || (event.key === "Enter" && !isAsking)) goTo(soundRows()[0]);
  else if (!awaitsAnswer) return;
  event.preventDefault(); // the form is sent as one types, so Enter does not send it
}

function followTyping({ type, target }) {
  if (target === field()) isTyped = type === "input";
  else if (target === field()?.form) isTyped = false;
}

function press(event) {
  if (event.target === field()) pressInField(event);
  if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (!shortcuts[key] || keepsKey(event.target, key)) return;
  event.preventDefault();
  shortcuts[key]();
}

// Only one row is in the tab order. The arrow keys reach the others.
function keepOneTabStop() {
  const rows = [...document.querySelectorAll(".rows .row")];
  if (rows.length && !rows.some((row) => row.tabIndex === 0)) rows[0].tabIndex = 0;
}

function moveTabStop(event) {
  const row = event.target.closest?.(".rows .row");
  if (row !== event.target) return;
  for (const other of document.querySelectorAll(".rows .row")) other.tabIndex = other === row ? 0 : -1;
}

function keepLeftRow() {
  leftRow = document.activeElement?.closest?.(".rows .row")?.id ?? null;
}

// What was typed is sent while one types, so leaving the field does not send it again.
function stayQuiet(event) {
  if (event.target === field()) event.stopPropagation();
}

// After an answer of the server, the focus is on the first row that was asked for, or where it was.
function placeFocus(event) {
  if (awaitsAnswer && event.target.querySelector?.(".rows")) {
    awaitsAnswer = false;
    goTo(soundRows()[0]);
  } else if (leftRow && document.activeElement === document.body) {
    (document.getElementById(leftRow) ?? soundRows()[0])?.focus({ preventScroll: true });
  }
}

function skipToRows(event) {
  const row = event.target.closest('.skip[href="#samples"]') && soundRows()[0];
  if (!row) return;
  event.preventDefault();
  row.focus();
}

if (isSignedIn) {
  document.addEventListener("keydown", press);
  document.addEventListener("input", followTyping);
  document.addEventListener("change", stayQuiet, { capture: true });
  document.addEventListener("htmx:beforeRequest", followTyping);
  document.addEventListener("click", skipToRows);
  document.addEventListener("htmx:beforeSwap", keepLeftRow);
  document.addEventListener("htmx:afterSettle", placeFocus);
  document.addEventListener("click", (event) => {
    if (event.target.closest('[data-action="keys"]')) showShortcuts();
  });
  document.addEventListener("htmx:afterSettle", keepOneTabStop);
  document.addEventListener("focusin", moveTabStop);
  keepOneTabStop();
}
