// Uploading: files dropped anywhere, three at a time. What the plan does not take is kept in the list.
import { readChosenFolder, readDrop } from "./dropped_files.js";
import { keepWave } from "./file_waves.js";
import { takeMidi } from "./midi_drop.js";
import { isZip } from "./side_files.js";
import {
  cancelBatch, findDuplicate, findRoom, isReadable, newBatchId, reportSkipped, sendFile,
} from "./upload_requests.js";
import {
  addLink, addRow, isEmpty, removeRow, showBusy, showCounts, showDuplicate, showHeld, showLinkToJobs, showNote,
  showNoRoom, showNotice, showRefused,
} from "./upload_rows.js";

const MAX_AT_ONCE = 3;
const tray = document.getElementById("tray");
const waiting = [];
const running = new Set();
const held = [];
const sentBatches = new Set();
const counts = { total: 0, done: 0 };

const hasCards = () => document.getElementById("jobs") !== null;
// Cards that are polled say which they are, so that only others come.
const cardsAddress = () => document.getElementById("jobs").getAttribute("hx-get") ?? tray.dataset.jobs;

// Each as { file, collection, folder }. The job of a ZIP belongs to no batch: it makes one of its sounds.
function addFiles(files) {
  const batch = newBatchId();
  const batchFiles = files.filter(({ file }) => !isZip(file)).length;
  for (const { file, collection, folder } of files) {
    const entry = { file, collection, folder, batch, batchFiles, isZip: isZip(file), skipped: isZip(file) };
    addRow(entry);
    waiting.push(entry);
  }
  counts.total += files.length;
  showCount();
  startNext();
}

function startNext() {
  while (running.size < MAX_AT_ONCE && waiting.length) {
    const entry = waiting.shift();
    running.add(entry);
    upload(entry).finally(() => {
      running.delete(entry);
      startNext();
      showCount();
      endDrop();
    });
  }
}

async function upload(entry) {
  entry.cancelled = false;
  entry.share = 0;
  showBusy(entry);
  const tooLarge = entry.asksServer ? "" : sizeRefusal(entry);
  if (tooLarge) {
    reportSkipped(entry);
    return hold(entry, tooLarge);
  }
  showNote(entry, "Checking");
  const canRead = await isReadable(entry.file);
  if (entry.cancelled) return;
  if (!canRead) {
    reportSkipped(entry);
    const reason = `The browser could not read ${entry.file.name}. `;
    const advice = "If it was moved, drop it again; if it is a folder, open it and drop its files.";
    return refuse(entry, reason + advice, true);
  }
  const duplicate = entry.isWanted || entry.isZip ? null : await findDuplicate(entry.file);
  const room = entry.isZip && !entry.isWanted ? await findRoom(entry.file) : null;
  if (entry.cancelled) return;
  if (duplicate) return skipDuplicate(entry, duplicate);
  if (room && !room.fits) return askAboutRoom(entry, room.sentence);
  const answer = await sendFile(entry, (share) => showProgress(entry, share));
  if (answer.status === 201) return showStored(entry, answer.body.job_id);
  if (entry.cancelled) return;
  entry.isCounted = answer.status === 422; // the server has counted a file that it refuses as skipped
  if (answer.body.over_plan) return holdRest(entry, answer.body);
  refuse(entry, answer.body.error, answer.status !== 422);
  if (answer.body.url) addLink(entry, answer.body.url, answer.body.label);
}

function sizeRefusal({ file, isZip: packed }) {
  const { maxBytes, max, zipBytes, zipMax } = tray.dataset;
  if (file.size <= Number(packed ? zipBytes : maxBytes)) return "";
  if (packed) return `Your plan takes ZIPs up to ${zipMax}. Several smaller ones may fit.`;
  return `Your plan takes files up to ${max}. A compressed version may fit (FLAC halves a WAV).`;
}

function refuse(entry, sentence, canRetry) {
  counts.total -= 1;
  showRefused(entry, sentence, canRetry);
}

function showProgress(entry, share) {
  entry.share = share;
  showNote(entry, share === 1 ? "Storing" : `${Math.round(100 * share)}%`);
  showCount();
}

function showStored(entry, jobId) {
  counts.done += 1;
  entry.share = 0;
  if (!entry.isZip) sentBatches.add(entry.batch);
  entry.wave.then((path) => keepWave(jobId, path));
  removeRow(entry);
  if (hasCards()) htmx.ajax("GET", cardsAddress(), { target: "#jobs", swap: "morph:outerHTML" });
}

// When nothing is left to send. Where there are no job cards, the tray links to them.
function endDrop() {
  if (running.size || waiting.length) return;
  if (counts.done && !hasCards()) showLinkToJobs();
  counts.total = counts.done = 0;
  sentBatches.clear();
  showCount();
  tray.hidden = isEmpty();
}

function skipDuplicate(entry, sample) {
  reportSkipped(entry);
  counts.total -= 1;
  showDuplicate(entry, sample);
  entry.isWanted = true;
}

// What fits can be taken all the same, and what costs money can be paid.
function askAboutRoom(entry, sentence) {
  counts.total -= 1;
  showNoRoom(entry, sentence);
  entry.isWanted = true;
}

function hold(entry, sentence) {
  entry.heldFor = sentence;
  held.push(entry);
  counts.total -= 1;
  showHeld(held);
}

// With no upload left, the files behind this one need not be sent to learn the same.
function holdRest(entry, { error, over_plan: limit }) {
  entry.skipped = entry.isCounted;
  hold(entry, error);
  if (limit !== "uploads") return;
  for (const other of waiting.splice(0)) {
    reportSkipped(other);
    hold(other, error);
  }
}

function uploadHeld() {
  const batch = newBatchId();
  const entries = held.splice(0);
  const batchFiles = entries.filter((entry) => !entry.isZip).length;
  for (const entry of entries) {
    Object.assign(entry, { batch, batchFiles, skipped: entry.isZip, isCounted: false, asksServer: true });
    showBusy(entry);
    showNote(entry, "");
  }
  waiting.push(...entries);
  counts.total += entries.length;
  showHeld(held);
  startNext();
  showCount();
}

function showCount() {
  const share = [...running].reduce((sum, entry) => sum + (entry.share ?? 0), 0);
  showCounts({ ...counts, share, isSending: running.size + waiting.length > 0 });
}

// Stop what is not sent yet, and what the server has of the same drops.
function cancelDrop() {
  for (const entry of [...waiting.splice(0), ...running]) {
    entry.cancelled = true;
    entry.request?.abort();
    if (!entry.isCounted) reportSkipped(entry);
    removeRow(entry);
  }
  running.clear(); // whatever they still wait for no longer matters
  for (const batch of sentBatches) cancelBatch(batch);
  endDrop();
}

function dismiss(entry) {
  const place = held.indexOf(entry);
  if (place !== -1) held.splice(place, 1);
  removeRow(entry);
  showHeld(held);
  endDrop();
}

function retry(entry) {
  showBusy(entry); // a second click would send it twice
  // The old batch no longer waits for this file, so it gets one of its own.
  if (entry.skipped && !entry.isZip) Object.assign(entry, { batch: newBatchId(), batchFiles: 1, skipped: false });
  waiting.push(entry);
  counts.total += 1;
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

const presses = {
  "cancel-drop": cancelDrop,
  "retry-held": uploadHeld,
  "dismiss-upload": (button) => dismiss(button.closest(".queue-item").entry),
  "retry-upload": (button) => retry(button.closest(".queue-item").entry),
  "dismiss-notice": (button) => {
    button.closest(".tray-notice").remove();
    tray.hidden = isEmpty();
  },
};

if (tray) {
  acceptDrops();
  document.addEventListener("change", (event) => {
    const { id, type, files } = event.target;
    if (type !== "file" || !files.length || !["audio", "audio-folder"].includes(id)) return;
    if (id === "audio") addFiles([...files].map((file) => ({ file })));
    else takeRead(readChosenFolder(files));
    event.target.value = "";
  });
  tray.addEventListener("click", (event) => {
    const button = event.target.closest("[data-action]");
    presses[button?.dataset.action]?.(button);
  });
  // Leaving the page would abort the uploads and lose what is kept, so the browser asks first.
  addEventListener("beforeunload", (event) => {
    if (running.size || held.length) event.preventDefault();
  });
}
