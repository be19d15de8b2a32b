// A closer look at a waveform than the page's own strokes give: its samples, for the part that is shown.
import { bufferOf, loadBuffer } from "./sound_files.js";

const WIDTH = 800; // of the picture
const MIDDLE = 16;
const REACH = 15; // a full-scale sample is so far from the middle
const FROM_ZOOM = 3; // from here on the strokes are too few
const SVG = "http://www.w3.org/2000/svg";

// The lowest and the highest sample of all channels from one frame to another.
function extent(channels, first, last) {
  let low = 0;
  let high = 0;
  for (const samples of channels) {
    for (let frame = first; frame < last; frame += 1) {
      if (samples[frame] < low) low = samples[frame];
      else if (samples[frame] > high) high = samples[frame];
    }
  }
  return [low, high];
}

// The outline of the samples in view, one step wide for each pixel: along the top, and back below.
function outline(buffer, { first, span }, columns) {
  const channels = Array.from({ length: buffer.numberOfChannels }, (_, number) => buffer.getChannelData(number));
  const top = [];
  const bottom = [];
  for (let column = 0; column <= columns; column += 1) {
    const [start, end] = [column, column + 1].map((at) => Math.floor((first + (span * at) / columns) * buffer.length));
    const [low, high] = extent(channels, start, Math.min(Math.max(end, start + 1), buffer.length));
    const x = (WIDTH * (first + (span * column) / columns)).toFixed(4);
    top.push(`${x} ${(MIDDLE - high * REACH - 0.05).toFixed(2)}`);
    bottom.unshift(`${x} ${(MIDDLE - low * REACH + 0.05).toFixed(2)}`);
  }
  return `M${[...top, ...bottom].join("L")}Z`;
}

function pathOf(svg) {
  const found = svg.querySelector(".detail");
  if (found) return found;
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("class", "detail");
  svg.prepend(path);
  return path;
}

// Draw the samples once they are here, when the zoom asks for them; `later` is called when they come.
export function drawDetail(svg, source, view, later) {
  const isNear = 1 / view.span >= FROM_ZOOM;
  const buffer = bufferOf(source);
  svg.classList.toggle("detailed", isNear && Boolean(buffer));
  if (!isNear) return;
  if (buffer) pathOf(svg).setAttribute("d", outline(buffer, view, Math.round(svg.clientWidth)));
  else loadBuffer(source).then((loaded) => { if (loaded) later(); });
}

// How far one can zoom: to a hundredth of a second where the samples are here, else until strokes are far apart.
export const mostZoom = (source, duration_s) => (bufferOf(source) ? Math.max(duration_s / 0.01, 20) : 20);
