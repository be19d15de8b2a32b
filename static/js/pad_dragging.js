// Drag a pad to another to exchange them, with Alt to copy; drag a sample onto a pad to place it.
import { csrfToken } from "./csrf.js";
import { toast } from "./toast.js";

const CONFLICT = 409;
const NOTICE = "kit-notice"; // a sentence that is shown after the page was loaded again

async function drop(grid, target, { pad, sample }, isCopy) {
  const { kit, revision } = grid.dataset;
  const base = `/kits/${kit}/pads/`;
  const to = target.dataset.pad;
  const url = sample ? `${base}${to}/place` : `${base}${pad}/${isCopy ? "copy" : "exchange"}`;
  const body = new URLSearchParams(sample ? { sample, revision } : { to, revision });
  // As htmx asks: refusals come as a fragment, and who is signed out is led back here.
  const headers = { "X-CSRFToken": csrfToken, "HX-Request": "true", "HX-Current-URL": location.href };
  const response = await fetch(url, { method: "POST", headers, body }).catch(() => null);
  if (!response) toast("Can't reach the server. Check your connection.");
  else if (response.ok) location.assign(response.headers.get("HX-Redirect") ?? response.url);
  else await showRefusal(response);
}

async function showRefusal(response) {
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  const sentence = page.querySelector('[role="alert"]')?.textContent ?? "That did not work. Nothing was changed.";
  if (response.status !== CONFLICT) {
    toast(sentence);
    return;
  }
  sessionStorage.setItem(NOTICE, sentence);
  location.reload();
}

function showNotice() {
  const sentence = sessionStorage.getItem(NOTICE);
  sessionStorage.removeItem(NOTICE);
  if (sentence) toast(sentence);
}

export function prepareDragging(grid, isPlaying) {
  showNotice();
  let dragged = null;
  document.addEventListener("dragstart", (event) => {
    const pad = event.target.closest?.("#pads [data-sample]");
    const offered = event.target.closest?.("[data-drag-sample]");
    if (isPlaying()) event.preventDefault();
    else if (pad) dragged = { pad: pad.dataset.pad };
    else if (offered) dragged = { sample: offered.dataset.dragSample };
    else return;
    event.dataTransfer.effectAllowed = "all"; // with Alt, some systems ask for a link
    event.dataTransfer.setData("text/plain", "");
  });
  grid.addEventListener("dragover", (event) => {
    if (!dragged || !event.target.closest("[data-pad]")) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = event.altKey ? "copy" : "move";
  });
  grid.addEventListener("drop", (event) => {
    const target = event.target.closest("[data-pad]");
    if (!dragged || !target) return;
    event.preventDefault();
    if (target.dataset.pad !== dragged.pad) drop(grid, target, dragged, event.altKey);
    dragged = null;
  });
}
