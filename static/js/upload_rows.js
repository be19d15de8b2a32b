// How the tray of uploads looks: a row for each file, one bar for all of them, and one card for what the plan does
// not take. On pages with jobs it stands above them; elsewhere it is a thin strip that opens.
import { drawFile } from "./file_waves.js";
import { player } from "./player.js";

const UNPLAYABLE = /\.(aif|aiff|aifc|caf)$/i; // in the common browsers
const tray = document.getElementById("tray");
const part = (name) => tray.querySelector(`[data-tray-${name}]`);
const copy = (id) => document.getElementById(id).content.firstElementChild.cloneNode(true);

export const rowButton = (entry, action) => entry.item.querySelector(`[data-action="${action}"]`);
export const showNote = (entry, text) => { entry.item.querySelector(".queue-note").textContent = text; };
export const isEmpty = () => !part("list").children.length;

export function addRow(entry) {
  entry.item = copy("queue-item");
  entry.item.entry = entry;
  entry.item.querySelector(".queue-name").textContent = entry.file.name;
  if (!entry.isZip) offerPlaying(entry);
  entry.wave = (entry.isZip ? Promise.resolve("") : drawFile(entry.file)).then((path) => {
    entry.item.querySelector(".wave path").setAttribute("d", path);
    return path;
  });
  part("list").append(entry.item);
  tray.hidden = false;
}

// The file plays from this computer, before a byte of it is sent.
function offerPlaying(entry) {
  if (UNPLAYABLE.test(entry.file.name)) return;
  const button = rowButton(entry, "play");
  button.hidden = false;
  button.dataset.src = URL.createObjectURL(entry.file);
  button.dataset.name = entry.file.name;
  button.setAttribute("aria-label", `Play ${entry.file.name}`);
}

export function removeRow(entry) {
  const { src } = rowButton(entry, "play").dataset;
  if (src) forgetFile(src);
  entry.item.remove();
}

// The file that is in the player stays until another sound is chosen.
function forgetFile(src) {
  if (player.source !== src) {
    URL.revokeObjectURL(src);
    return;
  }
  document.addEventListener("player:change", function onChange() {
    if (player.source === src) return;
    document.removeEventListener("player:change", onChange);
    URL.revokeObjectURL(src);
  });
}

export function showBusy(entry) {
  entry.item.classList.remove("refused", "held");
  rowButton(entry, "retry-upload").hidden = rowButton(entry, "dismiss-upload").hidden = true;
}

export function showRefused(entry, text, canRetry) {
  entry.item.classList.add("refused");
  showNote(entry, text);
  rowButton(entry, "retry-upload").hidden = !canRetry;
  rowButton(entry, "retry-upload").textContent = "Retry";
  rowButton(entry, "dismiss-upload").hidden = false;
  openTray(true);
}

export function addLink(entry, url, label) {
  const link = document.createElement("a");
  link.href = url;
  link.textContent = label;
  entry.item.querySelector(".queue-note").append(" ", link);
}

export function showNoRoom(entry, sentence) {
  showRefused(entry, sentence, true);
  rowButton(entry, "retry-upload").textContent = "Send it";
}

export function showDuplicate(entry, sample) {
  showRefused(entry, "Already in your library:", true);
  addLink(entry, sample.url, sample.name);
  rowButton(entry, "retry-upload").textContent = "Upload anyway";
}

// A sentence that stays until it is dismissed.
export function showNotice(text) {
  const item = copy("tray-notice");
  item.querySelector(".queue-note").textContent = text;
  part("list").append(item);
  tray.hidden = false;
  openTray(true);
}

export function showCounts({ total, done, isSending, share }) {
  part("count").textContent = total ? `${done} of ${total} sent` : "";
  part("bar").hidden = part("cancel").hidden = !isSending;
  part("bar").value = total ? (100 * (done + share)) / total : 0;
}

// One card for all files that the plan does not take; they stay in the list, and nothing about them is red.
export function showHeld(entries) {
  const card = part("over");
  card.hidden = !entries.length;
  if (card.hidden) return;
  const files = entries.length === 1 ? "1 file is" : `${entries.length} files are`;
  card.querySelector("strong").textContent = `${files} kept in this list. `;
  card.querySelector("span").textContent = [...new Set(entries.map((entry) => entry.heldFor))].join(" ");
  for (const entry of entries) {
    entry.item.classList.add("held");
    showNote(entry, "Over your plan");
    rowButton(entry, "dismiss-upload").hidden = false;
  }
  openTray(true);
}

export function showLinkToJobs() {
  const link = document.createElement("a");
  link.href = tray.dataset.jobs;
  link.textContent = "Watch them finish";
  const item = document.createElement("li");
  item.className = "tray-link";
  item.append(link);
  tray.querySelector(".tray-link")?.remove();
  part("list").append(item);
  openTray(true);
}

function removeLinkToJobs() {
  const link = tray.querySelector(".tray-link");
  if (!link) return;
  link.remove();
  tray.hidden = isEmpty();
}

function openTray(isOpen) {
  tray.classList.toggle("open", isOpen);
  part("toggle").setAttribute("aria-expanded", String(isOpen));
}

// On a page that shows jobs the tray belongs to it. It is taken out before htmx replaces that part of the page.
function placeTray() {
  const place = document.getElementById("tray-place");
  if (place) removeLinkToJobs();
  if (tray.parentElement === (place ?? document.body)) return;
  (place ?? document.body).append(tray);
  if (place) openTray(true);
}

if (tray) {
  placeTray();
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.target?.contains(tray)) document.body.append(tray);
  });
  document.addEventListener("htmx:afterSettle", placeTray);
  tray.addEventListener("click", (event) => { if (event.target.closest(".tray-link a")) removeLinkToJobs(); });
  part("toggle").addEventListener("click", () => openTray(!tray.classList.contains("open")));
}
