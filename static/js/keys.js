// Audition by keyboard: the focus roves over the rows, and text fields keep their keys.
import { currentRow, neighbour, play, stop, toggle } from "./player.js";

const signedIn = "signedIn" in document.body.dataset;
const autoplay = document.body.dataset.autoplay === "1";
const isTyping = (element) => element.closest('input:not([type="checkbox"]), textarea, select, dialog[open]');
const focusedRow = () => document.activeElement?.closest?.(".row[data-src]");

function move(step) {
  const rows = [...document.querySelectorAll(".row[data-src]")];
  const from = focusedRow() ?? currentRow();
  const row = from ? rows[rows.indexOf(from) + step] : rows[0];
  if (!row) return;
  row.focus();
  row.scrollIntoView({ block: "nearest" });
  if (autoplay) play(row);
}

function space() {
  const row = focusedRow();
  if (row && row !== currentRow()) play(row);
  else if (currentRow()) toggle();
  else if (neighbour(0)) play(neighbour(0));
}

const keys = {
  ArrowDown: () => move(1),
  ArrowUp: () => move(-1),
  " ": space,
  Escape: stop,
  "/": () => document.getElementById("q")?.focus(),
  l: () => (focusedRow() ?? currentRow())?.querySelector(".like button")?.click(),
  x: () => (focusedRow() ?? currentRow())?.querySelector(".pick")?.click(),
  Enter: () => { const row = focusedRow(); if (row) location.assign(row.dataset.href); },
  "?": () => document.getElementById("keys").showModal(),
};

if (signedIn) {
  document.addEventListener("keydown", (event) => {
    const target = event.target;
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(target)) return;
    // Buttons and links keep the keys that press them.
    if (event.key === " " && target.closest("button, summary, input")) return;
    if (event.key === "Enter" && target.closest("button, summary, a")) return;
    const action = keys[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!action || (event.key.startsWith("Arrow") && !document.querySelector(".row[data-src]"))) return;
    if (event.key !== "Enter" || focusedRow()) event.preventDefault();
    action();
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest('[data-action="keys"]')) document.getElementById("keys").showModal();
  });
  // One row is in the tab order; the arrow keys reach the others.
  const rove = () => {
    const rows = [...document.querySelectorAll(".rows .row")];
    if (rows.length && !rows.some((row) => row.tabIndex === 0)) rows[0].tabIndex = 0;
  };
  document.addEventListener("htmx:afterSettle", rove);
  document.addEventListener("focusin", (event) => {
    const row = event.target.closest?.(".rows .row");
    if (row !== event.target) return;
    for (const other of document.querySelectorAll(".rows .row")) other.tabIndex = other === row ? 0 : -1;
  });
  rove();
}
