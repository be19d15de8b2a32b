// On a wide screen the page of a sample opens beside the list that it was opened from.
import { routeOf } from "./base_path.js";

const SAMPLE = /^\/samples\/\w{26}$/;
const WIDE = matchMedia("(min-width: 75rem)");

const panel = () => document.getElementById("beside");
const list = () => document.querySelector("main > #results");

// Whether a page is to open beside the list and not instead of it.
export const fitsBeside = (url) => WIDE.matches && SAMPLE.test(routeOf(url.pathname)) && list() !== null;

function makePanel() {
  const made = document.createElement("aside");
  made.id = "beside";
  made.setAttribute("aria-label", "Sample");
  const close = document.createElement("button");
  close.type = "button";
  close.className = "ghost";
  close.dataset.action = "close-beside";
  close.textContent = "Close";
  const content = document.createElement("div");
  made.append(close, content);
  document.getElementById("main").append(made);
  return made;
}

// The page keeps one first heading, that of the list.
function lowerHeading() {
  const heading = panel()?.querySelector("h1");
  if (!heading) return;
  const lower = document.createElement("h2");
  lower.dir = "auto";
  lower.className = heading.className;
  lower.append(...heading.childNodes);
  heading.replaceWith(lower);
}

// Show the sample of a page, and give its heading the focus.
export function showBeside(page) {
  const shown = panel() ?? makePanel();
  htmx.swap(shown.lastElementChild, page.getElementById("sample").outerHTML, { swapStyle: "innerHTML" });
  shown.scrollTo(0, 0);
  lowerHeading();
  const heading = shown.querySelector("h2");
  heading.tabIndex = -1;
  heading.focus({ preventScroll: true });
}

// Return the focus to the row that was opened. Says whether there was a panel to close.
export function closeBeside() {
  const shown = panel();
  if (!shown) return false;
  const id = shown.querySelector(".instrument")?.dataset.href.split("/").pop();
  shown.remove();
  document.getElementById(`sample-${id}`)?.focus({ preventScroll: true });
  return true;
}

document.addEventListener("htmx:afterSettle", lowerHeading);
