// Writes the files of a card's ZIP into a folder, reads each back and compares it. Nothing is deleted, and what
// would be overwritten is copied to a folder of its own before, at a place where the unit does not look.
import { checksum, readZip } from "./zip_reader.js";

// Folders of which the unit reads all files together.
const WHOLE = /^(EXPORT\/PROJECT\/PROJECT_\d\d|ROLAND\/SP-404SX\/SMPL)(?=\/)/;
const SENTENCES = {
  AbortError: () => "Cancelled.",
  NotAllowedError: () => "The browser may no longer write to this folder. Choose it again and allow it.",
  SecurityError: () => "The browser may no longer write to this folder. Choose it again and allow it.",
  QuotaExceededError: (path) => `There is no room left for ${path}. Free some room, then write again.`,
  NotFoundError: (path) => `The folder is gone while ${path} was written. Put the card in, then write again.`,
  NoModificationAllowedError: (path) => `${path} is in use or write-protected. Close what uses it, then write again.`,
  TypeMismatchError: (path) =>
    `The name of ${path}, or of a folder on the way to it, is taken by something else. Rename that, then write again.`,
};

// Its message is a sentence; `done` is what `writeCard` had done until then.
export class CardError extends Error {}

// Resolve to what was done: paths that were `written`, were there already (`same`), were copied before
// (`backups`, to `folder`), and those of an older project or card that are `left` beside the new ones.
export async function writeCard(root, archive, { signal, onProgress = () => {}, now = new Date() } = {}) {
  const done = { written: [], same: [], backups: [], left: [], folder: "" };
  const job = { root, done, signal, now, path: "", file: 0, onProgress };
  try {
    await writeAll(job, archive);
  } catch (error) {
    const sentence = error instanceof CardError ? error.message : sentenceOf(error, job.path);
    throw Object.assign(new CardError(sentence), { done });
  }
  return done;
}

function sentenceOf(error, path) {
  const told = SENTENCES[error.name];
  return told ? told(path || "the card") : `${path || "The card"} could not be written: ${error.message}.`;
}

async function writeAll(job, archive) {
  const entries = await readZip(archive);
  for (const { path } of entries) {
    if (path.split("/").some((part) => ["", ".", ".."].includes(part))) throw new Error("a path leads out of it");
  }
  job.files = entries.length;
  const due = await findDue(job, entries);
  await backUp(job, due, new Set(entries.map((entry) => entry.path)));
  for (const entry of due) {
    job.signal?.throwIfAborted();
    job.path = entry.path;
    job.file = job.done.same.length + job.done.written.length + 1;
    job.onProgress(job);
    await writeFile(job, entry.path, await entry.open(), entry);
    job.done.written.push(entry.path);
  }
}

// Return the files that are not there yet as they are in the ZIP.
async function findDue(job, entries) {
  const due = [];
  for (const entry of entries) {
    job.signal?.throwIfAborted();
    job.path = entry.path;
    const there = await findFile(job.root, entry.path);
    const isSame = there?.size === entry.size && (await checksum(there.stream())) === entry.crc;
    if (isSame) job.done.same.push(entry.path);
    else due.push({ ...entry, there });
  }
  return due;
}

// Copy what would be overwritten: whole folders, of anything else the single file.
async function backUp(job, due, paths) {
  const folders = new Set(due.map((entry) => entry.path.match(WHOLE)?.[0]).filter(Boolean));
  const old = new Map();
  for (const entry of due) {
    if (entry.there && !WHOLE.test(entry.path)) old.set(entry.path, entry.there);
  }
  for (const place of folders) {
    job.path = place;
    const folder = await folderAt(job.root, place.split("/"));
    for await (const [path, file] of filesIn(folder, place)) {
      old.set(path, file);
      if (!paths.has(path)) job.done.left.push(path);
    }
  }
  if (old.size) job.done.folder = await freeName(job.root, job.now);
  for (const [path, file] of old) {
    job.signal?.throwIfAborted();
    const copy = `${job.done.folder}/${path}`;
    job.path = copy;
    job.onProgress(job);
    await writeFile(job, copy, file.stream(), { size: file.size, crc: await checksum(file.stream()) });
    job.done.backups.push(copy);
  }
}

async function writeFile(job, path, stream, { size, crc }) {
  const parts = path.split("/");
  const name = parts.pop();
  const folder = await folderAt(job.root, parts, true);
  const handle = await folder.getFileHandle(name, { create: true });
  await stream.pipeTo(await handle.createWritable(), { signal: job.signal });
  job.signal?.throwIfAborted(); // a pipe whose source has ended no longer hears of it
  const back = await handle.getFile();
  if (back.size !== size || (await checksum(back.stream())) !== crc) {
    throw new CardError(`${path} reads back differently from what was written. The card may be damaged: try another.`);
  }
}

// Return a folder below another, or null where there is none and none is to be made.
async function folderAt(root, parts, create = false) {
  let folder = root;
  for (const part of parts) {
    const next = folder.getDirectoryHandle(part, { create });
    folder = create ? await next : await found(next);
    if (!folder) return null;
  }
  return folder;
}

async function findFile(root, path) {
  const parts = path.split("/");
  const name = parts.pop();
  const folder = await folderAt(root, parts);
  const handle = folder && (await found(folder.getFileHandle(name)));
  return handle && handle.getFile();
}

async function* filesIn(folder, path) {
  for await (const [name, handle] of folder?.entries() ?? []) {
    const place = `${path}/${name}`;
    if (handle.kind === "directory") yield* filesIn(handle, place);
    else yield [place, await handle.getFile()];
  }
}

// Return the name of a backup folder that is not there yet, such as BACKUP_2026-11-29_2315.
async function freeName(root, now) {
  const two = (number) => String(number).padStart(2, "0");
  const day = `${now.getFullYear()}-${two(now.getMonth() + 1)}-${two(now.getDate())}`;
  const name = `BACKUP_${day}_${two(now.getHours())}${two(now.getMinutes())}`;
  for (let number = 1; ; number += 1) {
    const free = number === 1 ? name : `${name}_${number}`;
    if (!(await found(root.getDirectoryHandle(free)))) return free;
  }
}

async function found(looking) {
  try {
    return await looking;
  } catch (error) {
    if (error.name === "NotFoundError") return null;
    throw error;
  }
}
