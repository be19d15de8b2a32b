// The entry: small things that belong to every page. The player, the keys and uploads live beside it.
import { toast } from "./toast.js";
import "./player.js";
import "./keys.js";
import "./upload.js";
import "./selection.js";

document.documentElement.classList.add("has-js");

const csrfToken = document.querySelector('meta[name="csrf-token"]').content;

document.addEventListener("htmx:configRequest", (event) => {
  event.detail.headers["X-CSRFToken"] = csrfToken;
});

// A tab nobody sees need not poll.
document.addEventListener("htmx:beforeRequest", (event) => {
  if (document.hidden && event.detail.elt.id === "jobs") event.preventDefault();
});

document.addEventListener("htmx:responseError", (event) => {
  const holder = document.createElement("template");
  holder.innerHTML = event.detail.xhr.responseText;
  const alert = holder.content.querySelector('[role="alert"]');
  toast(alert ? alert.textContent : "That did not work. Try again.");
});

document.addEventListener("htmx:sendError", () => toast("The server can't be reached. Check the connection."));

// An open menu closes when the click goes elsewhere.
document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll(".menu[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});

for (const field of document.querySelectorAll("[data-timezone]")) {
  field.value = Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
}
