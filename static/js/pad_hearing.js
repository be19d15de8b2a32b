// "Hear it": an open pad as its form sets it, played by the engine of play mode. Its sound is loaded when it is asked for.
import { audioContext } from "./page_audio.js";
import { grid } from "./kit_parts.js";
import { fetchBank, fetchBuffer, scaled } from "./kit_sounds.js";
import { PadEngine } from "./pad_engine.js";
import { settingsInForm } from "./pad_form.js";
import { pause as pauseLibrary } from "./player.js";
import { toast } from "./toast.js";

const BARS = 800;
const POLL_MS = 100;
let engine = null;
let loaded = null; // { heard, buffer } of the pad that was heard last
let timer = null;

const button = () => document.querySelector("[data-pad-hear]");

function stop() {
  clearInterval(timer);
  engine?.panic();
  button()?.setAttribute("aria-pressed", "false");
}

// Play the pad, or one of its chops; a second press stops it. Return whether its waveform is new.
export async function hear(area, chop) {
  const { pad } = area.dataset;
  const isStopped = chop === undefined && button().getAttribute("aria-pressed") === "true";
  stop();
  if (isStopped) return false;
  pauseLibrary();
  const context = await audioContext();
  engine ??= new PadEngine(context);
  const sound = (await fetchBank(grid().dataset))?.pads[pad];
  if (!sound) {
    toast("The sound can't be loaded right now. Try again.");
    return false;
  }
  if (loaded?.heard !== sound.heard) loaded = { heard: sound.heard, buffer: await fetchBuffer(context, pad, sound) };
  const { buffer } = loaded;
  if (!buffer || !area.isConnected) return false;
  const isNew = !area.dataset.frames;
  if (isNew) showShaped(area, buffer, sound.stretch);
  const settings = settingsInForm(sound.settings);
  engine.setPad(pad, buffer, scaled(settings, { ...sound, frames: Number(area.dataset.frames) }, buffer));
  engine.press(pad, { chop });
  button().setAttribute("aria-pressed", "true");
  timer = setInterval(() => engine.isSounding(pad) || stop(), POLL_MS);
  return isNew;
}

// Draw a shaped sound, which the server had not made when the page was.
function showShaped(area, buffer, stretch) {
  area.dataset.frames = Math.round(buffer.length / stretch);
  const samples = buffer.getChannelData(0);
  const size = Math.max(buffer.length / BARS, 1);
  let path = "";
  for (let bar = 0; bar < BARS && bar * size < buffer.length; bar += 1) {
    const part = samples.subarray(Math.floor(bar * size), Math.ceil((bar + 1) * size));
    const height = Math.max(part.reduce((most, value) => Math.max(most, Math.abs(value)), 0) * 15, 0.35);
    path += `M${bar}.5 ${(16 - height).toFixed(2)}v${(2 * height).toFixed(2)}`;
  }
  area.querySelector("path").setAttribute("d", path);
}

for (const name of ["htmx:beforeSwap", "page:leave"]) document.addEventListener(name, stop);
