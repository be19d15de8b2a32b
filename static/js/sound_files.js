// Files and samples of sounds that are played next, or repeat without a gap.
const MAX_BYTES = 16 * 2 ** 20; // 87 s of the WAV that the player gets
const MAX_KEPT = 6;
const RATE = 48000; // of the WAV and of the page's audio context, so that a loop keeps its exact length
const files = new Map(); // by their source, the latest last: { aborting, url, buffer, blob, decoding }

function fetchFile(source) {
  const aborting = new AbortController();
  const file = { aborting, url: null, buffer: null, decoding: null };
  file.blob = download(source, aborting).then((blob) => {
    file.url = blob && URL.createObjectURL(blob);
    return blob;
  });
  files.set(source, file);
  return file;
}

// Return the file, or null when it is too long or can't be had: then the player streams it.
async function download(source, aborting) {
  try {
    const response = await fetch(source, { signal: aborting.signal });
    const isFit = response.ok && Number(response.headers.get("Content-Length")) <= MAX_BYTES;
    if (isFit) return await response.blob();
    aborting.abort();
  } catch {
    // The network, or a file that is no longer wanted: a later press asks again.
  }
  return null;
}

async function decode(file) {
  const blob = await file.blob;
  if (!blob) return null;
  const decoder = new OfflineAudioContext({ length: 1, sampleRate: RATE });
  file.buffer = await decoder.decodeAudioData(await blob.arrayBuffer()).catch(() => null);
  return file.buffer;
}

const isLoading = (file) => file.url === null;

function drop(source) {
  const file = files.get(source);
  file.aborting.abort();
  file.blob.then(() => URL.revokeObjectURL(file.url));
  files.delete(source);
}

// The address of a file that is here, or null.
export const urlOf = (source) => files.get(source)?.url ?? null;

// The samples of a sound that are here, or null.
export const bufferOf = (source) => files.get(source)?.buffer ?? null;

// Fetch the samples of a sound. Resolves with null when it is too long to be kept, or can't be had.
export function loadBuffer(source) {
  const file = files.get(source) ?? fetchFile(source);
  file.decoding ??= decode(file);
  return file.decoding;
}

// Fetch what may be played next. What is still on its way and no longer wanted is given up.
export function prefetch(sounds, current) {
  const wanted = [current, ...sounds.map((sound) => sound.src)];
  for (const [source, file] of files) if (isLoading(file) && !wanted.includes(source)) drop(source);
  for (const { src } of sounds) loadBuffer(src);
  for (const source of files.keys()) {
    if (files.size <= MAX_KEPT) break;
    if (!wanted.includes(source)) drop(source);
  }
}
