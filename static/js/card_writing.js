// The button of a finished card that writes it to a folder: the memory card itself, in browsers that can do that.
import { CardError, writeCard } from "./card_writer.js";

const NOT_THERE = "The card can't be downloaded. Reload the page and try again.";
const NOT_OPENED = "The browser did not open this folder. Choose the memory card, or a folder of your own.";
const INSIDE_A_CARD = /^(import|export|project_\d\d|bkup|roland|sp-404sx|smpl)$/i;
const KINDS = {
  written: "written",
  same: "was there already",
  backups: "copied before",
  left: "still there from before",
};

setUpAll(document);
document.addEventListener("htmx:load", (event) => setUpAll(event.detail.elt));

// A small card is downloaded as soon as it is ready; the page stays.
document.addEventListener("card-ready", (event) => location.assign(event.detail.address));

function setUpAll(part) {
  if (!("showDirectoryPicker" in window)) return;
  for (const box of part.querySelectorAll("[data-card-writer][hidden]")) setUp(box);
}

function setUp(box) {
  const part = (name) => box.querySelector(`[data-card="${name}"]`);
  const parts = Object.fromEntries(["write", "cancel", "bar", "now", "state", "list"].map((name) => [name, part(name)]));
  let stop;
  box.hidden = false;
  parts.cancel.addEventListener("click", () => stop?.abort());
  parts.write.addEventListener("click", async () => {
    const folder = await chooseFolder(parts);
    if (!folder) return;
    stop = new AbortController();
    show(parts, true);
    addEventListener("beforeunload", stay);
    box.toggleAttribute("data-asks-before-leaving", true);
    parts.state.textContent = await writeTo(folder, box.dataset.cardWriter, parts, stop.signal);
    removeEventListener("beforeunload", stay);
    box.removeAttribute("data-asks-before-leaving");
    show(parts, false);
  });
}

async function chooseFolder(parts) {
  try {
    const folder = await window.showDirectoryPicker({ mode: "readwrite", id: "card" });
    if (!INSIDE_A_CARD.test(folder.name)) return folder;
    parts.state.textContent = `${folder.name} is a folder of a card. Choose the memory card itself, above it.`;
    return null;
  } catch (error) {
    if (error.name !== "AbortError") parts.state.textContent = NOT_OPENED;
    return null;
  }
}

// Write the card, list what was done, and return how it ended.
async function writeTo(folder, url, parts, signal) {
  try {
    parts.state.textContent = "Getting the card.";
    const archive = await download(url, signal);
    const done = await writeCard(folder, archive, { signal, onProgress: (job) => tell(parts, job) });
    list(parts.list, done);
    return summary(done);
  } catch (error) {
    if (error.name === "AbortError") return "Cancelled. Nothing was written.";
    if (!(error instanceof CardError)) return NOT_THERE;
    list(parts.list, error.done);
    return `${error.message} ${count(error.done.written)} written until then; nothing was deleted.`;
  }
}

async function download(url, signal) {
  const response = await fetch(url, { signal });
  if (!response.ok) throw new Error(NOT_THERE);
  return response.blob();
}

// The line of the file is not read out by screen readers; that it began and how it ended is.
function tell({ bar, now, state }, { path, file, files }) {
  bar.max = files;
  bar.value = file;
  state.textContent = "Writing the card.";
  now.textContent = file ? `Writing ${file} of ${files}: ${path}` : `Copying what is there: ${path}`;
}

function summary({ written, same, folder, left }) {
  const said = [`Done: ${count(written)} written and read back.`];
  if (same.length) said.push(`There already: ${count(same)}.`);
  if (folder) said.push(`What was there before is in ${folder}, where the unit does not look.`);
  if (left.length) said.push(`Still beside them from before: ${count(left)}, see the list.`);
  if (left.some((path) => path.includes("/PTN/"))) said.push("Old patterns would play with the new sounds.");
  return [...said, "Eject the card before you take it out."].join(" ");
}

function list(box, done) {
  box.querySelector("ul").replaceChildren(
    ...Object.entries(KINDS).flatMap(([kind, words]) => done[kind].map((path) => line(path, words))),
  );
  box.hidden = !box.querySelector("li");
}

function line(path, words) {
  const item = document.createElement("li");
  item.textContent = `${path} – ${words}`;
  return item;
}

function show({ write, cancel, bar, now, list: box }, isWriting) {
  write.disabled = isWriting;
  now.textContent = "";
  cancel.hidden = !isWriting;
  bar.hidden = !isWriting;
  bar.removeAttribute("value");
  if (isWriting) box.hidden = true;
}

const count = (paths) => `${paths.length.toLocaleString("en")} ${paths.length === 1 ? "file" : "files"}`;
const stay = (event) => event.preventDefault();
