// The open library follows what happens to it: new samples slide in at the top, and counts and filters change. What
// is being read, played or selected stays where it is on the screen.
/* global htmx, Idiomorph */
import { inMain } from "./navigation.js";
import { describe } from "./rows.js";

const INTERVAL_MS = 4000;
const BUSY = ".row:focus-within, .row.playing, .row:has(.pick:checked), .menu[open]";
const find = (id) => document.getElementById(id);
// Null where the search has found nothing: rows that are only close are not its list.
const list = () => find("found") && document.querySelector("#results .rows tbody");
// Of new rows those that the list does not have, each once.
const missing = (rows) => rows.filter((row, at) => !find(row.id) && rows.findIndex(({ id }) => id === row.id) === at);
let timer = null;
let held = []; // new rows that wait until they can come in without moving anything

async function look() {
  clearTimeout(timer);
  const mark = find("news");
  if (mark && !document.hidden) {
    const response = await fetch(mark.dataset.url, { headers: { "HX-Request": "true" } }).catch(() => null);
    const isGone = response?.headers.has("HX-Redirect"); // signed out meanwhile: the next click says so
    if (response?.status === 200 && !isGone && find("news") === mark) show(await response.text());
  }
  timer = setTimeout(look, INTERVAL_MS);
}

function show(html) {
  const news = document.createElement("template");
  news.innerHTML = html;
  for (const id of ["filters", "found", "all-count"]) {
    const part = news.content.getElementById(id);
    if (find(id) && part) Idiomorph.morph(find(id), part, { callbacks: { beforeAttributeUpdated: keepsOpen } });
  }
  const mark = news.content.getElementById("news");
  find("news").replaceWith(mark);
  const rows = missing([...news.content.querySelectorAll(".row")]);
  if (!list() && Number(mark.dataset.new)) return reload();
  if (rows.length) add(missing([...rows, ...held]));
  else if (Number(mark.dataset.new) && !news.content.querySelector(".row")) announce(Number(mark.dataset.new));
}

// A list of filters that is open stays open.
const keepsOpen = (name, element) => !(name === "open" && element.tagName === "DETAILS");

function reload() {
  htmx.ajax("GET", inMain, { target: "#results", swap: "outerHTML" });
}

// Puts rows on top. If something is in use that would move, the page scrolls by as much; where it can't, they wait.
function add(rows) {
  const inUse = list().querySelector(BUSY)?.closest(".row");
  const kept = inUse ?? [...list().rows].find((row) => row.getBoundingClientRect().top >= 0);
  const isReading = inUse || list().getBoundingClientRect().top < 0;
  const before = kept?.getBoundingClientRect().top;
  for (const row of rows) {
    row.classList.add("new");
    describe(row);
  }
  list().prepend(...rows);
  held = [];
  if (isReading) {
    scrollBy({ top: kept.getBoundingClientRect().top - before, behavior: "instant" });
    if (Math.abs(kept.getBoundingClientRect().top - before) > 1) {
      for (const row of rows) row.remove();
      held = rows;
    }
  }
  for (const row of rows) if (row.isConnected) htmx.process(row);
  announce(list().querySelectorAll(".row.new").length + held.length);
}

function announce(count) {
  const button = find("new-count");
  if (!button) return;
  button.textContent = `${count} new`;
  button.hidden = count === 0;
}

function showNew(button) {
  button.hidden = true;
  if (held.length) {
    const rows = missing(held);
    list().prepend(...rows);
    rows.forEach((row) => htmx.process(row));
    held = [];
  }
  if (!list().querySelector(".row.new")) return reload();
  find("results").scrollIntoView({ block: "start" });
  list().querySelector(".row.new").focus({ preventScroll: true });
  for (const row of list().querySelectorAll(".row.new")) row.classList.remove("new");
}

document.addEventListener("click", (event) => {
  if (event.target.id === "new-count") showNew(event.target);
});

// A deleted or restored sample changes the counts at once.
document.addEventListener("htmx:afterRequest", ({ detail }) => {
  if (detail.successful && /\/(delete|restore)$/.test(detail.pathInfo.requestPath)) look();
});

// A new search has its own rows, and so has another page. A row that "Show more" brings again takes the place of the
// new one.
document.addEventListener("htmx:load", ({ target }) => {
  if (["results", "main"].includes(target.id)) held = [];
  if (target.id) document.querySelectorAll(`.row.new[id="${CSS.escape(target.id)}"]`).forEach((row) => {
    if (row !== target) row.remove();
  });
});

document.addEventListener("change", ({ target }) => {
  if (target.matches("#columns input")) {
    document.querySelector("#results .rows")?.classList.toggle(`no-${target.value}`, !target.checked);
  }
});

document.addEventListener("visibilitychange", () => { if (!document.hidden) look(); });
timer = setTimeout(look, INTERVAL_MS);
