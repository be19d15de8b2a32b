// Keyboard shortcuts. Text fields keep their keys; buttons and links keep the keys that press them.
import { fillMenu } from "./rows.js";
import { currentRow, neighbour, play, stop, toggle } from "./player.js";

const isSignedIn = "signedIn" in document.body.dataset;
const autoplay = document.body.dataset.autoplay === "1";
const soundRows = () => [...document.querySelectorAll(".row[data-src]")].filter((row) => row.offsetParent);
const focusedRow = () => document.activeElement?.closest?.(".row[data-src]");
const targetRow = () => focusedRow() ?? currentRow();
const showShortcuts = () => document.getElementById("keys").showModal();

function move(step) {
  const rows = soundRows();
  const from = targetRow();
  const row = from ? rows[rows.indexOf(from) + step] : rows[0];
  if (!row) return;
  row.focus();
  row.scrollIntoView({ block: "nearest" });
  if (autoplay) play(row);
}

function playOrPause() {
  const row = focusedRow();
  if (row && row !== currentRow()) play(row);
  else if (currentRow()) toggle();
  else if (neighbour(0)) play(neighbour(0));
}

function openRow() {
  const row = focusedRow();
  if (row) location.assign(row.dataset.href);
}

// On the page of one sample the link is beside its name.
function openSimilar() {
  fillMenu(targetRow());
  const link = targetRow()?.querySelector(".find-similar") ?? document.querySelector(".page-head .find-similar");
  if (link) location.assign(link.href);
}

function openKits() {
  fillMenu(targetRow());
  const link = targetRow()?.querySelector(".add-to-kit") ?? document.querySelector(".page-head .add-to-kit");
  if (link) location.assign(link.href);
}

const shortcuts = {
  ArrowDown: () => move(1),
  ArrowUp: () => move(-1),
  " ": playOrPause,
  Escape: stop,
  "/": () => document.getElementById("q")?.focus(),
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
  if (key === "Enter") return element.closest("button, summary, a") || !focusedRow();
  return key.startsWith("Arrow") && soundRows().length === 0;
}

function press(event) {
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

if (isSignedIn) {
  document.addEventListener("keydown", press);
  document.addEventListener("click", (event) => {
    if (event.target.closest('[data-action="keys"]')) showShortcuts();
  });
  document.addEventListener("htmx:afterSettle", keepOneTabStop);
  document.addEventListener("focusin", moveTabStop);
  keepOneTabStop();
}
