// How one file gets to the server: through the app, or straight to the object store by a link.
import { csrfToken } from "./csrf.js";
import { isSound, newCount } from "./side_files.js";
import { readZip } from "./zip_reader.js";

const MAX_HASHED_BYTES = 200e6;
const MAX_READ_WAIT_MS = 10_000;
const tray = document.getElementById("tray");
const appHeaders = { Accept: "application/json", "X-CSRFToken": csrfToken };

// Plain http on a local network name has no crypto.randomUUID.
export function newBatchId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  return toHex(bytes).replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

const toHex = (bytes) => [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");

// Whether the first byte can be read. A folder, a file that was moved, or a sleeping drive may never answer.
export function isReadable(file) {
  const first = file.slice(0, 1).arrayBuffer().then(() => true, () => false);
  const patience = new Promise((resolve) => { setTimeout(resolve, MAX_READ_WAIT_MS, false); });
  return Promise.race([first, patience]);
}

// The sample with the same bytes, if the library has one. Very large files are not hashed.
export async function findDuplicate(file) {
  if (!crypto.subtle || file.size > MAX_HASHED_BYTES || file.size === 0) return null;
  const bytes = await file.arrayBuffer().catch(() => null);
  const digest = bytes && await crypto.subtle.digest("SHA-256", bytes).catch(() => null);
  if (!digest) return null;
  const url = tray.dataset.known.replace("HASH", toHex(new Uint8Array(digest)));
  const response = await fetch(url).catch(() => null);
  const found = response?.ok ? await response.json().catch(() => null) : null;
  return found?.known ? found : null;
}

// What the sounds of a ZIP take of the plan: { fits, sentence }; null where that can't be told before.
export async function findRoom(file) {
  const entries = await readZip(file).catch(() => []);
  const sounds = entries.filter((entry) => isSound(entry.path, newCount()));
  if (!sounds.length) return null;
  const bytes = sounds.reduce((sum, sound) => sum + sound.size, 0);
  const query = new URLSearchParams({ files: sounds.length, bytes });
  const response = await fetch(`${tray.dataset.room}?${query}`).catch(() => null);
  return response?.ok ? response.json().catch(() => null) : null;
}

// Resolves to { status, body }. `entry.request` can be aborted; `onProgress` gets the share that was sent.
export function sendFile(entry, onProgress) {
  if (entry.isZip) {
    const zip = new FormData();
    zip.append("zip", entry.file);
    return request(entry, "POST", tray.dataset.zips, zip, appHeaders, onProgress);
  }
  if (tray.dataset.links && !entry.useApp) return sendToStore(entry, onProgress);
  const form = batchForm(entry);
  form.append("audio", entry.file);
  return request(entry, "POST", tray.dataset.url, form, appHeaders, onProgress);
}

async function sendToStore(entry, onProgress) {
  if (!entry.jobUrl) {
    const form = batchForm(entry);
    form.append("filename", entry.file.name);
    form.append("size_bytes", entry.file.size);
    const link = await request(entry, "POST", tray.dataset.links, form, appHeaders);
    if (link.status !== 201) return link;
    const { method, url, headers, job_url: jobUrl } = link.body;
    const sent = await request(entry, method, url, entry.file, headers, onProgress);
    entry.useApp = sent.status !== 200; // whatever keeps this browser from the store, the app can be reached
    if (entry.useApp) {
      const error = "The file didn't reach our storage. Press Retry to send it another way.";
      return { status: 0, body: { error } };
    }
    entry.jobUrl = jobUrl;
  }
  const made = await request(entry, "POST", entry.jobUrl, new FormData(), appHeaders);
  if (made.status !== 0 && made.status < 500) entry.jobUrl = null; // otherwise a retry need not send it again
  return made;
}

function request(entry, method, url, body, headers, onProgress = null) {
  if (entry.cancelled) return { status: 0, body: {} };
  return new Promise((resolve) => {
    const xhr = new XMLHttpRequest();
    entry.request = xhr;
    if (onProgress) {
      xhr.upload.addEventListener("progress", ({ loaded, total }) => onProgress(loaded / total));
    }
    xhr.addEventListener("loadend", () => resolve({ status: xhr.status, body: parseBody(xhr) }));
    xhr.open(method, url);
    for (const [name, value] of Object.entries(headers)) xhr.setRequestHeader(name, value);
    xhr.send(body);
  });
}

function parseBody(xhr) {
  if (xhr.status === 0) return { error: "The connection was lost before the file was sent. Try again." };
  try {
    return JSON.parse(xhr.responseText);
  } catch {
    return { error: "The server sent an unexpected answer. Try again." };
  }
}

// The email about a batch waits until each of its files has arrived or been reported as skipped.
export function reportSkipped(entry) {
  if (entry.skipped) return;
  entry.skipped = true;
  fetch(tray.dataset.skipped, {
    method: "POST",
    headers: { "X-CSRFToken": csrfToken },
    body: batchForm(entry),
  }).catch(() => {}); // the server stops waiting by itself after a while
}

// Cancel what the server still has to do of files that were dropped together.
export function cancelBatch(batch) {
  const url = tray.dataset.cancel.replace("BATCH", batch);
  if (document.getElementById("jobs")) htmx.ajax("POST", url, { target: "#jobs", swap: "morph:outerHTML" });
  else fetch(url, { method: "POST", headers: { "X-CSRFToken": csrfToken } }).catch(() => {});
}

function batchForm(entry) {
  const form = new FormData();
  form.append("batch", entry.batch);
  form.append("batch_files", entry.batchFiles);
  if (entry.collection) {
    form.append("collection", entry.collection);
    form.append("folder", entry.folder);
  }
  return form;
}
