// Uploads: dropped anywhere, three at once, one request and one bar a file, known files not sent again.
const AT_ONCE = 3;
const LARGEST_HASHED = 200e6;
const tray = document.getElementById("tray");
const waiting = [];
const state = { running: 0, total: 0, done: 0 };

// Plain http on a name of one's own network has no crypto.randomUUID.
function newBatch() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

function add(files) {
  const batch = newBatch();
  for (const file of files) {
    const item = document.getElementById("queue-item").content.firstElementChild.cloneNode(true);
    item.querySelector(".queue-name").textContent = file.name;
    tray.querySelector("[data-tray-list]").append(item);
    waiting.push({ file, item, batch, batchFiles: files.length });
    item.entry = waiting.at(-1);
  }
  state.total += files.length;
  tray.hidden = false;
  count();
  pump();
}

function pump() {
  while (state.running < AT_ONCE && waiting.length) {
    state.running += 1;
    send(waiting.shift()).finally(() => {
      state.running -= 1;
      count();
      pump();
    });
  }
}

async function send(entry) {
  entry.cancelled = false;
  entry.item.classList.remove("refused");
  button(entry, "retry-upload").hidden = true;
  button(entry, "cancel-upload").textContent = "Cancel";
  if (entry.file.size > Number(tray.dataset.maxBytes)) {
    skip(entry);
    return refused(entry, `${entry.file.name} is larger than the ${tray.dataset.max} a file that your plan takes.`, false);
  }
  note(entry, "Checking");
  const known = entry.anyway ? null : await alreadyThere(entry.file);
  if (entry.cancelled) return;
  if (known) return duplicate(entry, known);
  const answer = await post(entry);
  if (answer.status === 201) return stored(entry);
  if (entry.cancelled) return;
  entry.refused = answer.status === 422; // the server has counted it already
  refused(entry, answer.body.error, answer.status !== 422);
}

function post(entry) {
  if (tray.dataset.links && !entry.throughApp) return direct(entry);
  const form = batchForm(entry);
  form.append("audio", entry.file);
  return ask(entry, "POST", tray.dataset.url, form, ours());
}

// Straight to the object store. Whatever keeps this browser from it, a retry goes through the app.
async function direct(entry) {
  if (!entry.jobUrl) {
    const form = batchForm(entry);
    form.append("filename", entry.file.name);
    form.append("size_bytes", entry.file.size);
    const link = await ask(entry, "POST", tray.dataset.links, form, ours());
    if (link.status !== 201) return link;
    const { method, url, headers, job_url: jobUrl } = link.body;
    const sent = await ask(entry, method, url, entry.file, headers);
    entry.throughApp = sent.status !== 200;
    if (entry.throughApp) return { status: 0, body: { error: "The file did not reach the store. Retry sends it another way." } };
    entry.jobUrl = jobUrl;
  }
  const made = await ask(entry, "POST", entry.jobUrl, new FormData(), ours());
  if (made.status !== 0 && made.status < 500) entry.jobUrl = null; // otherwise a retry need not send it again
  return made;
}

const ours = () => ({ Accept: "application/json", "X-CSRFToken": csrfToken() });

function ask(entry, method, url, body, headers) {
  if (entry.cancelled) return { status: 0, body: {} };
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    entry.request = request;
    if (body === entry.file || body.has("audio")) request.upload.addEventListener("progress", (event) => progress(entry, event));
    request.addEventListener("loadend", () => resolve({ status: request.status, body: answered(request) }));
    request.open(method, url);
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.send(body);
  });
}

function progress(entry, { loaded, total }) {
  entry.item.querySelector("progress").value = (100 * loaded) / total;
  note(entry, loaded === total ? "Storing" : `${Math.round((100 * loaded) / total)} %`);
}

function answered(request) {
  if (request.status === 0) return { error: "The connection broke before the file was sent." };
  try {
    return JSON.parse(request.responseText);
  } catch {
    return { error: "The server gave no answer we understand. Try again." };
  }
}

async function alreadyThere(file) {
  if (!crypto.subtle || file.size > LARGEST_HASHED || file.size === 0) return null;
  const digest = await crypto.subtle.digest("SHA-256", await file.arrayBuffer()).catch(() => null);
  if (!digest) return null;
  const hash = [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  const answer = await fetch(tray.dataset.known.replace("HASH", hash)).catch(() => null);
  const found = answer?.ok ? await answer.json().catch(() => null) : null;
  return found?.known ? found : null;
}

function stored(entry) {
  state.done += 1;
  entry.item.remove();
  if (document.getElementById("jobs")) {
    htmx.ajax("GET", tray.dataset.jobs, { target: "#jobs", swap: "morph:outerHTML" });
  }
  if (!tray.querySelector(".queue-item")) finish();
}

function finish() {
  if (document.getElementById("jobs")) {
    tray.hidden = true;
  } else {
    const link = document.createElement("a");
    link.href = tray.dataset.jobs;
    link.textContent = "Watch them finish";
    const item = document.createElement("li");
    item.append(link);
    tray.querySelector("[data-tray-list]").replaceChildren(item);
  }
  state.total = state.done = 0;
}

// The mail for a drop waits until each of its files is accounted for.
function skip(entry) {
  if (entry.skipped) return;
  entry.skipped = true;
  fetch(tray.dataset.skipped, { method: "POST", headers: { "X-CSRFToken": csrfToken() }, body: batchForm(entry) })
    .catch(() => {}); // the server stops waiting by itself after a while
}

function batchForm(entry) {
  const form = new FormData();
  form.append("batch", entry.batch);
  form.append("batch_files", entry.batchFiles);
  return form;
}

const csrfToken = () => document.querySelector('meta[name="csrf-token"]').content;

function duplicate(entry, known) {
  skip(entry);
  refused(entry, "", true);
  const link = document.createElement("a");
  link.href = known.url;
  link.textContent = known.name;
  entry.item.querySelector(".queue-note").replaceChildren("Already in your library: ", link);
  entry.anyway = true;
  button(entry, "retry-upload").textContent = "Upload anyway";
}

function refused(entry, text, canRetry) {
  entry.item.classList.add("refused");
  note(entry, text);
  button(entry, "retry-upload").hidden = !canRetry;
  button(entry, "retry-upload").textContent = "Retry";
  button(entry, "cancel-upload").textContent = "Dismiss";
}

const button = (entry, action) => entry.item.querySelector(`[data-action="${action}"]`);
const note = (entry, text) => { entry.item.querySelector(".queue-note").textContent = text; };

function count() {
  tray.querySelector("[data-tray-count]").textContent = `${state.done} of ${state.total}`;
}

function cancel(entry) {
  entry.cancelled = true;
  const index = waiting.indexOf(entry);
  if (index !== -1) waiting.splice(index, 1);
  entry.request?.abort();
  if (!entry.refused) skip(entry);
  entry.item.remove();
  state.total -= 1;
  count();
  if (tray.querySelector(".queue-item")) return;
  if (state.done) finish();
  else tray.hidden = true;
}

if (tray) {
  const veil = document.getElementById("drop-veil");
  const carriesFiles = (event) => event.dataTransfer?.types.includes("Files");
  document.addEventListener("dragover", (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    veil.hidden = false;
  });
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) veil.hidden = true;
  });
  document.addEventListener("drop", (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    veil.hidden = true;
    add([...event.dataTransfer.files]);
  });
  document.addEventListener("change", (event) => {
    if (event.target.id !== "audio" || event.target.type !== "file") return;
    add([...event.target.files]);
    event.target.value = "";
  });
  document.addEventListener("click", (event) => {
    const pressed = event.target.closest('[data-action="cancel-upload"], [data-action="retry-upload"]');
    if (!pressed) return;
    const { entry } = pressed.closest(".queue-item");
    if (pressed.dataset.action === "cancel-upload") return cancel(entry);
    pressed.hidden = true; // once is enough
    if (entry.skipped) Object.assign(entry, { batch: newBatch(), batchFiles: 1, skipped: false });
    waiting.push(entry);
    pump();
  });
  addEventListener("beforeunload", (event) => {
    if (state.running) event.preventDefault();
  });
}
