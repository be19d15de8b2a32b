// The upload tray: files dropped anywhere, three at a time, each with its own bar, cancel and retry.
import { readChosenFolder, readDrop } from "./dropped_files.js";
import { takeMidi } from "./midi_drop.js";
import { isZip } from "./side_files.js";
import { findDuplicate, findRoom, isReadable, newBatchId, reportSkipped, sendFile } from "./upload_requests.js";

const MAX_AT_ONCE = 3;
const tray = document.getElementById("tray");
const waiting = [];
const counts = { running: 0, total: 0, done: 0 };

const hasCards = () => document.getElementById("jobs") !== null;
const button = (entry, action) => entry.item.querySelector(`[data-action="${action}"]`);
const showNote = (entry, text) => { entry.item.querySelector(".queue-note").textContent = text; };

// Each as { file, collection, folder }. The job of a ZIP belongs to no batch: it makes one of its sounds.
function addFiles(files) {
  const batch = newBatchId();
  const batchFiles = files.filter(({ file }) => !isZip(file)).length;
  for (const { file, collection, folder } of files) {
    const item = document.getElementById("queue-item").content.firstElementChild.cloneNode(true);
    item.querySelector(".queue-name").textContent = file.name;
    item.entry = { file, item, collection, folder, batch, batchFiles, isZip: isZip(file), skipped: isZip(file) };
    tray.querySelector("[data-tray-list]").append(item);
    waiting.push(item.entry);
  }
  counts.total += files.length;
  tray.hidden = false;
  showCount();
  startNext();
}

function startNext() {
  while (counts.running < MAX_AT_ONCE && waiting.length) {
    counts.running += 1;
    upload(waiting.shift()).finally(() => {
      counts.running -= 1;
      showCount();
      startNext();
    });
  }
}

async function upload(entry) {
  entry.cancelled = false;
  entry.item.classList.remove("refused");
  button(entry, "retry-upload").hidden = true;
  button(entry, "cancel-upload").textContent = "Cancel";
  const tooLarge = sizeRefusal(entry);
  if (tooLarge) {
    reportSkipped(entry);
    return showRefused(entry, tooLarge, false);
  }
  showNote(entry, "Checking");
  if (!await isReadable(entry.file)) {
    reportSkipped(entry);
    const reason = `The browser could not read ${entry.file.name}. `;
    const advice = "If it was moved, drop it again; if it is a folder, open it and drop its files.";
    return showRefused(entry, reason + advice, true);
  }
  const duplicate = entry.isWanted || entry.isZip ? null : await findDuplicate(entry.file);
  const room = entry.isZip && !entry.isWanted ? await findRoom(entry.file) : null;
  if (entry.cancelled) return;
  if (duplicate) return showDuplicate(entry, duplicate);
  if (room && !room.fits) return showNoRoom(entry, room.sentence);
  const answer = await sendFile(entry, (share) => showProgress(entry, share));
  if (answer.status === 201) return showStored(entry);
  if (entry.cancelled) return;
  entry.isCounted = answer.status === 422; // the server has counted a file that it refuses as skipped
  showRefused(entry, answer.body.error, answer.status !== 422);
  if (answer.body.url) addLink(entry, answer.body.url, answer.body.label);
}

function sizeRefusal({ file, isZip: packed }) {
  const { maxBytes, max, zipBytes, zipMax } = tray.dataset;
  if (file.size <= Number(packed ? zipBytes : maxBytes)) return "";
  if (packed) return `${file.name} is larger than ${zipMax}, the largest ZIP your plan allows. Make several smaller ZIPs, or upgrade your plan.`;
  const reason = `${file.name} is larger than ${max}, the largest file your plan allows. `;
  return `${reason}Upload a shorter or compressed version (FLAC halves a WAV), or upgrade your plan.`;
}

function showProgress(entry, share) {
  entry.item.querySelector("progress").value = 100 * share;
  showNote(entry, share === 1 ? "Storing" : `${Math.round(100 * share)}%`);
}

function showStored(entry) {
  counts.done += 1;
  entry.item.remove();
  if (hasCards()) htmx.ajax("GET", tray.dataset.jobs, { target: "#jobs", swap: "morph:outerHTML" });
  if (!tray.querySelector(".queue-item")) finish();
}

// A sentence that stays until it is dismissed.
function showNotice(text) {
  const item = document.getElementById("tray-notice").content.firstElementChild.cloneNode(true);
  item.querySelector(".queue-note").textContent = text;
  tray.querySelector("[data-tray-list]").append(item);
  tray.hidden = false;
}

function hideUnlessNoticed() {
  tray.hidden = !tray.querySelector(".tray-notice");
  if (!tray.hidden) tray.querySelector("[data-tray-count]").textContent = "";
}

// Where there are no job cards, the tray links to them.
function finish() {
  if (hasCards()) {
    hideUnlessNoticed();
  } else {
    const link = document.createElement("a");
    link.href = tray.dataset.jobs;
    link.textContent = "Watch them finish";
    const item = document.createElement("li");
    item.className = "tray-link";
    item.append(link);
    tray.querySelector(".tray-link")?.remove();
    tray.querySelector("[data-tray-list]").append(item);
  }
  counts.total = counts.done = 0;
}

function showDuplicate(entry, sample) {
  reportSkipped(entry);
  showRefused(entry, "Already in your library:", true);
  addLink(entry, sample.url, sample.name);
  entry.isWanted = true;
  button(entry, "retry-upload").textContent = "Upload anyway";
}

// What fits can be taken all the same, and what costs money can be paid.
function showNoRoom(entry, sentence) {
  showRefused(entry, `${entry.file.name}: ${sentence}`, true);
  entry.isWanted = true;
  button(entry, "retry-upload").textContent = "Send it";
}

function addLink(entry, url, label) {
  const link = document.createElement("a");
  link.href = url;
  link.textContent = label;
  entry.item.querySelector(".queue-note").append(" ", link);
}

function showRefused(entry, text, canRetry) {
  entry.item.classList.add("refused");
  showNote(entry, text);
  button(entry, "retry-upload").hidden = !canRetry;
  button(entry, "retry-upload").textContent = "Retry";
  button(entry, "cancel-upload").textContent = "Dismiss";
}

function showCount() {
  tray.querySelector("[data-tray-count]").textContent = `${counts.done} of ${counts.total}`;
}

function cancel(entry) {
  entry.cancelled = true;
  const place = waiting.indexOf(entry);
  if (place !== -1) waiting.splice(place, 1);
  entry.request?.abort();
  if (!entry.isCounted) reportSkipped(entry);
  entry.item.remove();
  counts.total -= 1;
  showCount();
  if (tray.querySelector(".queue-item")) return;
  if (counts.done) finish();
  else hideUnlessNoticed();
}

function retry(entry) {
  button(entry, "retry-upload").hidden = true; // a second click would send it twice
  // The old batch no longer waits for this file, so it gets one of its own.
  if (entry.skipped && !entry.isZip) Object.assign(entry, { batch: newBatchId(), batchFiles: 1, skipped: false });
  waiting.push(entry);
  startNext();
}

async function takeDrop(transfer) {
  if (takeMidi(transfer.files)) return;
  takeRead(await readDrop(transfer));
}

function takeRead({ files, notices }) {
  if (files.length) addFiles(files);
  notices.forEach(showNotice);
}

function acceptDrops() {
  const veil = document.getElementById("drop-veil");
  const hasFiles = (event) => event.dataTransfer?.types.includes("Files");
  document.addEventListener("dragover", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    veil.hidden = false;
  });
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) veil.hidden = true;
  });
  document.addEventListener("drop", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    veil.hidden = true;
    takeDrop(event.dataTransfer);
  });
}

if (tray) {
  acceptDrops();
  document.addEventListener("change", (event) => {
    const { id, type, files } = event.target;
    if (type !== "file" || !files.length || !["audio", "audio-folder"].includes(id)) return;
    if (id === "audio") addFiles([...files].map((file) => ({ file })));
    else takeRead(readChosenFolder(files));
    event.target.value = "";
  });
  document.addEventListener("click", (event) => {
    const notice = event.target.closest(".tray-notice button")?.closest(".tray-notice");
    if (notice) {
      notice.remove();
      if (!tray.querySelector("[data-tray-list]").children.length) tray.hidden = true;
      return;
    }
    const pressed = event.target.closest('[data-action="cancel-upload"], [data-action="retry-upload"]');
    if (!pressed) return;
    const { entry } = pressed.closest(".queue-item");
    if (pressed.dataset.action === "cancel-upload") cancel(entry);
    else retry(entry);
  });
  // Leaving the page would abort the uploads, so the browser asks first.
  addEventListener("beforeunload", (event) => {
    if (counts.running) event.preventDefault();
  });
}
