// Opens the pages around the library without leaving the document, so that the sound goes on: what is in <main> is
// exchanged, the player stays. Back and Forward find the rows, the place and the focus as they were left. Files, and
// what other sites answer, are left to the browser.
//
// The event "page:leave" of the document tells other modules that what is in <main> is exchanged now.
import { routeOf } from "./base_path.js";
import { closeBeside, fitsBeside, showBeside } from "./beside.js";
import { toast } from "./toast.js";

const ID = "\\w{26}";
const PAGES = new RegExp(
  `^/(dashboard|upload|jobs|collections|billing|settings(/(ai|security|tokens|data|webhooks))?|duplicates(/${ID})?` +
  `|kits(/add|/import(/(done/)?${ID})?)?|kits/${ID}(/(library|card|exports/${ID}|pads/\\w+|banks/\\w/why))?` +
  `|samples(/${ID})?(/(similar|shape|chops|shape/${ID}))?)$`,
);
// The forms that lead to one of these pages.
const FORMS = new RegExp(
  `^/(samples/(similar|words)|samples/${ID}(/(vibe|revert|corrections|delete|restore|like|tempo/(half|double)))?` +
  `|kits(/placements|/${ID}/(copy|delete|restore|undo|redo|card|fixes|exports|pads/\\w+/place))?` +
  `|kits/${ID}/exports/${ID}/(cancel|retry)|kits/import/${ID}` +
  `|selected/(delete|like|tags|tempo|values|restore/[^/]+|move(/[^/]+/undo)?)|duplicates/.+)$`,
);
const main = () => document.getElementById("main");
const addressOf = ({ pathname, search }) => pathname + search;
const places = new Map(); // by address: where the page was left
let shown = addressOf(location); // Back changes the location before the page
export let inMain = shown; // the address of what is in <main>, which stays while a sample is beside it
let titleOfMain = document.title;
let latest = null; // of the page that is being fetched

const isOpenable = (url) => url.origin === location.origin && PAGES.test(routeOf(url.pathname));
// A page that something would be lost with asks before it is left, which the browser does.
const isHere = () => PAGES.test(routeOf(shown.split("?")[0])) && !document.querySelector("main [data-asks-before-leaving]");
const rowCount = () => document.querySelectorAll(".rows .row").length;

function keepPlace() {
  const focus = document.activeElement?.closest("main [id]")?.id;
  places.set(inMain, { top: scrollY, rows: rowCount(), focus });
}

// Open a page as a link does.
export function openPage(href) {
  const url = new URL(href, location.href);
  if (isHere() && isOpenable(url)) visit(url);
  else location.assign(url);
}

async function visit(url, { isBack = false, canBeBeside = fitsBeside(url) } = {}) {
  keepPlace();
  const found = await fetchPage(url);
  if (!found) return;
  const address = addressOf(new URL(found.url));
  const isBeside = canBeBeside && found.page.getElementById("sample"); // a sample may be gone
  if (!isBack) addToHistory(address + url.hash, isBeside ? { list: inMain } : null);
  shown = address;
  if (isBeside) {
    main().removeAttribute("aria-busy");
    document.title = found.page.title;
    showBeside(found.page);
    return;
  }
  showPage(found.page);
  if (isBack) await returnToPlace(places.get(address));
  else enterPage(url.hash.slice(1));
}

async function submit(url, body) {
  keepPlace();
  const found = await fetchPage(url, { method: "POST", body });
  if (!found) return;
  // A form with errors comes back below the address that it was sent to.
  if (found.isRedirected) {
    shown = addressOf(new URL(found.url));
    addToHistory(shown);
  }
  showPage(found.page);
  enterPage();
}

// Return the page; null when another one was asked for meanwhile, or the browser has to load it itself.
async function fetchPage(url, options = {}) {
  latest?.abort();
  const asking = new AbortController();
  latest = asking;
  main().setAttribute("aria-busy", "true");
  try {
    const response = await fetch(url, { ...options, signal: asking.signal });
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    const isFit = isOpenable(new URL(response.url)) || !response.redirected;
    if (isFit && page.getElementById("main") && hasSameScripts(page)) {
      await loadModules(page);
      if (asking.signal.aborted) return null;
      return { page, url: response.url, isRedirected: response.redirected };
    }
    location.assign(response.redirected ? response.url : url);
  } catch {
    if (!asking.signal.aborted) toast("Can't reach the server. Check your connection.");
  }
  if (latest === asking) main().removeAttribute("aria-busy");
  return null;
}

// After an update of the product, the next page is loaded whole.
function hasSameScripts(page) {
  const entry = (from) => from.querySelector('script[type="module"]')?.getAttribute("src");
  return entry(page) === entry(document);
}

// A page may bring modules of its own: each runs when it is here for the first time, before anything can be pressed.
function loadModules(page) {
  const scripts = [...page.querySelectorAll('head script[type="module"]')];
  return Promise.all(scripts.map((script) => import(script.getAttribute("src"))));
}

function addToHistory(address, state = null) {
  if (address === addressOf(location)) history.replaceState(state, "", address);
  else history.pushState(state, "", address);
}

function showPage(page) {
  for (const part of [".skips", "header.top"]) document.querySelector(part).replaceWith(page.querySelector(part));
  document.title = titleOfMain = page.title;
  Object.assign(document.body.dataset, page.body.dataset);
  inMain = shown;
  document.dispatchEvent(new CustomEvent("page:leave"));
  // Answers that the old page still waits for must not change the address.
  main().addEventListener("htmx:beforeOnLoad", (event) => event.preventDefault());
  htmx.swap(main(), page.getElementById("main").outerHTML, { swapStyle: "outerHTML" });
}

// What has the focus is read out by screen readers, and Tab goes on from it: what the page has to say, or its heading.
function enterPage(anchor = "") {
  scrollTo(0, 0);
  document.getElementById(anchor)?.scrollIntoView();
  const first = main().querySelector(":scope > .notice, #notices > .notice") ?? main().querySelector("h1");
  first.tabIndex = -1;
  first.focus();
}

async function returnToPlace(place) {
  if (!place) return enterPage();
  while (rowCount() < place.rows && await showMoreRows());
  enterPage();
  document.getElementById(place.focus)?.focus({ preventScroll: true });
  return scrollTo(0, place.top);
}

// Load the next rows of the list. Resolves with whether there are more than before, when their own link works.
function showMoreRows() {
  const link = document.querySelector(".rows .more a");
  if (!link) return false;
  const before = rowCount();
  return new Promise((resolve) => {
    const listening = new AbortController();
    const check = ({ type, detail }) => {
      const isOver = type === "htmx:afterSettle" || !detail.successful;
      if (detail.requestConfig?.elt !== link || !isOver) return;
      listening.abort();
      resolve(rowCount() > before);
    };
    for (const name of ["htmx:afterRequest", "htmx:afterSettle"]) {
      document.addEventListener(name, check, { signal: listening.signal });
    }
    link.click();
  });
}

const isPlainClick = (event) =>
  !event.defaultPrevented && !event.button && !(event.ctrlKey || event.metaKey || event.shiftKey || event.altKey);

function onClick(event) {
  const link = event.target.closest?.("a[href]:not([download], [target], [hx-get])");
  if (!link || !isPlainClick(event) || !isHere()) return;
  const url = new URL(link.href);
  if (!isOpenable(url) || (url.hash && addressOf(url) === addressOf(location))) return;
  event.preventDefault();
  visit(url);
}

function onSubmit(event) {
  const { target: form, submitter } = event;
  const url = new URL(submitter?.getAttribute("formaction") ?? form.getAttribute("action") ?? "", location.href);
  if (event.defaultPrevented || !isHere() || form.enctype === "multipart/form-data") return;
  const fields = new URLSearchParams(new FormData(form, submitter));
  if (form.method === "post" && FORMS.test(routeOf(url.pathname))) submit(url, fields);
  else if (form.method === "get" && isOpenable(url)) visit(new URL(`${url.pathname}?${fields}`, url));
  else return;
  event.preventDefault();
}

// The list beside the sample is still there.
function closePanel() {
  latest?.abort();
  if (!closeBeside()) return;
  shown = inMain;
  document.title = titleOfMain;
}

function onPopState(event) {
  const isAnchor = addressOf(location) === shown;
  if (!isHere() || !isOpenable(location)) {
    if (!isAnchor && isOpenable(location)) location.reload();
    return;
  }
  event.stopImmediatePropagation(); // htmx would load the document again
  if (addressOf(location) === inMain) closePanel();
  else if (!isAnchor) {
    const url = new URL(location);
    visit(url, { isBack: true, canBeBeside: event.state?.list === inMain && fitsBeside(url) });
  }
}

addEventListener("click", onClick); // after the document's listeners, which may have done what was asked
addEventListener("submit", onSubmit);
addEventListener("popstate", onPopState, { capture: true });
addEventListener("scroll", () => { if (addressOf(location) === shown) keepPlace(); }, { passive: true });
document.addEventListener("htmx:pushedIntoHistory", () => { inMain = shown = addressOf(location); });
document.addEventListener("click", (event) => {
  if (!event.target.closest('[data-action="close-beside"]')) return;
  addToHistory(inMain);
  closePanel();
});
// The place is ours only between pages of one document; the browser keeps it otherwise.
if (isHere()) history.scrollRestoration = "manual";
addEventListener("pagehide", () => { history.scrollRestoration = "auto"; });
addEventListener("pageshow", () => { if (isHere()) history.scrollRestoration = "manual"; });
