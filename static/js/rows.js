// The rows of a list: their menus, which are filled when they are needed, and their likes.
/* global htmx */

// What the player and the keys read from any element with a sound, here taken from what the row shows. Without
// JavaScript, a row's play button is a plain link, and its waveform a picture.
export function describe(row) {
  const link = row.querySelector(".col-name a");
  if (!link || row.dataset.src) return;
  const cell = (name) => row.querySelector(`.col-${name}`)?.firstChild?.data ?? "";
  const href = link.getAttribute("href");
  Object.assign(row.dataset, { src: `${href}/audio`, href, name: link.textContent });
  row.dataset.peaks = `${href}/peaks`;
  row.dataset.facts = `${cell("bpm")} BPM · ${cell("key")}`;
  row.querySelector(".col-wave").dataset.action = "seek";
  const play = row.querySelector(".play");
  play.dataset.action = "play";
  play.setAttribute("role", "button");
  if (!row.hasAttribute("tabindex")) row.tabIndex = -1;
}

document.querySelectorAll(".rows .row").forEach(describe);
document.addEventListener("htmx:load", ({ target }) => {
  if (target.matches(".rows .row")) describe(target);
  else target.querySelectorAll(".rows .row").forEach(describe);
});

// All rows share one menu: the template has `{id}` where the sample's id goes.
export function fillMenu(row) {
  const menu = row?.querySelector(".menu");
  const template = document.getElementById("row-menu");
  if (!menu || !template || menu.querySelector(".menu-items")) return;
  menu.insertAdjacentHTML("beforeend", template.innerHTML.replaceAll("{id}", row.id.replace("sample-", "")));
  if (row.dataset.long) menu.querySelector(".fits-a-pad").remove();
  htmx.process(menu);
}

// Without this, the button would send its form and leave the page.
document.addEventListener("click", (event) => {
  const button = event.target.closest(".like button");
  if (!button) return;
  event.preventDefault();
  htmx.ajax("POST", button.formAction, { source: button, swap: "none" });
});

document.addEventListener("htmx:afterRequest", ({ detail }) => {
  if (!detail.successful || !detail.elt.matches(".like button")) return;
  const pressed = detail.elt.getAttribute("aria-pressed") === "true";
  detail.elt.setAttribute("aria-pressed", String(!pressed));
});
