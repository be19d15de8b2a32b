// The player bar: the name, the waveform, the times, the like of the sound that was chosen last.
import { csrfToken } from "./csrf.js";
import { toast } from "./toast.js";

const HEIGHT = 32; // of the waveform's own units
const bar = document.getElementById("player");
let shown = null; // the sound in the bar
let length_s = 0;

const part = (name) => bar.querySelector(`[data-player="${name}"]`);
const clock = (seconds) => {
  const tenths = Math.round(10 * seconds);
  return `${Math.floor(tenths / 600)}:${((tenths % 600) / 10).toFixed(1).padStart(4, "0")}`;
};
const sampleId = () => shown.href.split("/").pop();

function setText(name, text) {
  if (part(name).textContent !== text) part(name).textContent = text;
}

export function showSound(sound) {
  shown = sound;
  length_s = 0;
  bar.hidden = false;
  part("name").textContent = sound.name;
  part("facts").textContent = sound.facts;
  part("link").href = sound.href || "#";
  part("kit").href = `${part("kit").dataset.url}?sample=${sampleId()}`;
  for (const wave of bar.querySelectorAll(".wave path")) wave.setAttribute("d", "");
  showLike(null);
  showPlace(0, 0);
}

// Peaks come when the sound plays already: drawing must not keep it waiting.
export async function showPeaks(sound) {
  const response = sound.peaks && await fetch(sound.peaks).catch(() => null);
  const found = response?.ok ? await response.json() : null;
  if (!found || sound !== shown) return;
  length_s = found.duration_s;
  const path = found.peaks.map((peak, at) => {
    const half = Math.max((peak / 255) * (HEIGHT / 2 - 1), 0.35);
    return `M${at}.5 ${(HEIGHT / 2 - half).toFixed(2)}v${(2 * half).toFixed(2)}`;
  }).join("");
  for (const wave of bar.querySelectorAll(".wave")) {
    wave.setAttribute("viewBox", `0 0 ${found.peaks.length} ${HEIGHT}`);
    wave.firstElementChild.setAttribute("d", path);
  }
  showLike(found.liked ?? null);
}

export function showPlace(at_s, duration_s) {
  const total_s = duration_s || length_s;
  const share = total_s ? Math.min(at_s / total_s, 1) : 0;
  setText("time", clock(at_s));
  setText("total", total_s ? clock(total_s) : "–");
  const seek = part("seek");
  seek.setAttribute("aria-valuenow", Math.round(100 * share));
  seek.setAttribute("aria-valuetext", `${clock(at_s)} of ${clock(total_s)}`);
  seek.style.setProperty("--share", share);
}

export function showPlaying(isPlaying, isLoop) {
  bar.querySelector('[data-action="toggle"]').setAttribute("aria-pressed", String(isPlaying));
  bar.querySelector('[data-action="loop"]').setAttribute("aria-pressed", String(isLoop));
}

// Only samples of the library can be liked and placed on pads; null says that this is none, or not known yet.
function showLike(isLiked) {
  const like = bar.querySelector('[data-action="like-playing"]');
  like.hidden = isLiked === null;
  part("kit").hidden = isLiked === null;
  like.setAttribute("aria-pressed", String(isLiked));
}

const heartOf = (element) => element?.querySelector(".like button");

// Like the sound in the bar. Where the page shows its heart, that one is pressed.
export async function likePlaying(element) {
  const heart = heartOf(element);
  if (heart) {
    heart.click();
    return;
  }
  const sound = shown;
  const headers = { "X-CSRFToken": csrfToken, "HX-Request": "true" };
  const response = await fetch(`${sound.href}/like`, { method: "POST", headers }).catch(() => null);
  if (!response?.ok) toast("That did not work. Try again.");
  else if (sound === shown) showLike((await response.text()).includes('aria-pressed="true"'));
}

// A heart of the page may have been pressed.
export function followLike(element) {
  const heart = heartOf(element);
  if (heart && !bar.querySelector('[data-action="like-playing"]').hidden) {
    showLike(heart.getAttribute("aria-pressed") === "true");
  }
}
