// The marks that the page has drawn on a waveform: how many there are, and at which times.
const WIDTH = 800; // of the picture
const KINDS = ["bars", "beats", "onsets"];
const CLOSEST_PX = { bars: 8, beats: 14, onsets: 4 };

const pathOf = (svg, kind) => svg.querySelector(`.${kind}`);

// Each mark is an M with its place in the path.
function timesOf(svg, kind, duration_s) {
  const found = pathOf(svg, kind).getAttribute("d").matchAll(/M([\d.]+) /g);
  return [...found].map(([, place]) => (Number(place) / WIDTH) * duration_s);
}

export function readMarks(svg, duration_s) {
  const [bars, beats, onsets] = KINDS.map((kind) => timesOf(svg, kind, duration_s));
  const pulse = [...bars, ...beats].sort((a, b) => a - b);
  return { bars, pulse, all: [...pulse, ...onsets], counts: { bars: bars.length, beats: beats.length, onsets: onsets.length } };
}

// Hide marks that would stand too close to be told apart.
export function thinOut(svg, counts, width_px) {
  for (const kind of KINDS) {
    pathOf(svg, kind).classList.toggle("too-close", counts[kind] > 0 && width_px / counts[kind] < CLOSEST_PX[kind]);
  }
}

// The mark that is nearest to a time and not farther away than `reach_s`, or else the time itself.
export function nearestMark(times, time, reach_s) {
  let best = time;
  let away = reach_s;
  for (const mark of times) {
    if (Math.abs(mark - time) <= away) [best, away] = [mark, Math.abs(mark - time)];
  }
  return best;
}
