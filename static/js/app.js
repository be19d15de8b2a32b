// The entry point: small things that every page needs. The other modules do one thing each.
/* global Idiomorph */
import { csrfToken } from "./csrf.js";
import { toast } from "./toast.js";
import "./rows.js";
import "./player.js";
import "./keys.js";
import "./menu.js";
import "./upload.js";
import "./selection.js";
import "./live_rows.js";
import "./chops.js";
import "./instrument.js";
import "./value_editing.js";
import "./card_writing.js";
import "./project_import.js";
import "./navigation.js";

document.addEventListener("htmx:configRequest", (event) => {
  event.detail.headers["X-CSRFToken"] = csrfToken;
  event.detail.headers["X-Keeps-Cards"] = "1"; // as below: pages that are open since an older version do not
});

// Job cards do not poll while the tab is hidden.
document.addEventListener("htmx:beforeRequest", (event) => {
  if (document.hidden && event.detail.elt.id === "jobs") event.preventDefault();
});

// A card that the browser shows as it is comes without content, and only says where it stands.
const isUnchanged = (node) => node instanceof Element && node.hasAttribute("data-unchanged");
Idiomorph.defaults.callbacks.beforeNodeMorphed = (_shown, node) => !isUnchanged(node);
Idiomorph.defaults.callbacks.beforeNodeAdded = (node) => !isUnchanged(node);

// What is unchanged since cards that have been exchanged meanwhile can't be told by an answer.
const versionIn = (address) => new URL(address ?? "", location.href).searchParams.get("version");
document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  if (detail.target.id !== "jobs") return;
  const asked = versionIn(detail.pathInfo?.requestPath);
  if (asked && asked !== versionIn(detail.target.getAttribute("hx-get"))) detail.shouldSwap = false;
});

document.addEventListener("htmx:responseError", (event) => {
  const page = document.createElement("template");
  page.innerHTML = event.detail.xhr.responseText;
  const alert = page.content.querySelector('[role="alert"]');
  toast(alert ? alert.textContent : "That did not work. Try again.");
});

document.addEventListener("htmx:sendError", () => toast("Can't reach the server. Check your connection."));

for (const field of document.querySelectorAll("[data-timezone]")) {
  field.value = Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
}
