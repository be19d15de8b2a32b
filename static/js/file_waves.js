// Waveforms of files that the server has not measured yet, drawn by the browser from the file itself.

const BARS = 64;
const RATE = 8000; // enough for a shape, and little memory
const MAX_BYTES = 25e6;
const KEPT = "wave:"; // and the id of a job
let last = Promise.resolve();

// Resolves to the path of the waveform, or to "" when the browser can't read the file. One at a time.
export function drawFile(file) {
  if (file.size > MAX_BYTES || !window.OfflineAudioContext) return Promise.resolve("");
  last = last.then(() => readPath(file).catch(() => ""));
  return last;
}

async function readPath(file) {
  const bytes = await file.arrayBuffer();
  const sound = await new OfflineAudioContext(1, 1, RATE).decodeAudioData(bytes);
  const peaks = findPeaks(sound.getChannelData(0));
  const loudest = Math.max(...peaks, 0.001);
  return peaks.map((peak, bar) => stroke(bar, peak / loudest)).join("");
}

function findPeaks(samples) {
  return Array.from({ length: BARS }, (_, bar) => {
    let peak = 0;
    const end = Math.floor(((bar + 1) * samples.length) / BARS);
    for (let at = Math.floor((bar * samples.length) / BARS); at < end; at += 1) {
      peak = Math.max(peak, Math.abs(samples[at]));
    }
    return peak;
  });
}

function stroke(bar, share) {
  const reach = Math.max(share * 15, 0.35);
  return `M${bar}.5 ${(16 - reach).toFixed(2)}v${(2 * reach).toFixed(2)}`;
}

// A waiting job's row is drawn again after each poll, and after a reload in the same window.
export function keepWave(jobId, path) {
  try {
    if (path) sessionStorage.setItem(KEPT + jobId, path);
  } catch {
    // The window's storage is full or off: the row has no waveform until its file is analysed.
  }
  fillWaves();
}

export function fillWaves() {
  for (const path of document.querySelectorAll("#jobs .wave path:not([d])")) {
    const kept = sessionStorage.getItem(KEPT + path.closest(".card").id.replace("job-", ""));
    if (kept) path.setAttribute("d", kept);
  }
}

document.addEventListener("htmx:afterSwap", fillWaves);
fillWaves();
