// Read what was dropped or chosen: the files, and those in every folder, however deep. A folder becomes a
// collection, and the path inside it a folder there.
import { describeCount, isHidden, isSound, newCount } from "./side_files.js";

const MAX_FILES = 1000;
const MAX_ENTRIES = 20_000;

// Resolves to { files, notices }: files as { file, collection, folder }, and a sentence about whatever was not
// taken. A browser forgets the entries when the event ends, so they are collected before the first `await`.
export async function readDrop(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  const loose = [...transfer.files].filter((file) => !entries.some((entry) => isFolder(entry, file)));
  const folders = entries.filter((entry) => entry.isDirectory);
  const read = [];
  for (const folder of folders) read.push(await readFolder(folder));
  return {
    files: [...loose.map((file) => ({ file })), ...read.flatMap((folder) => folder.files)],
    notices: read.flatMap((folder) => folder.notices),
  };
}

// The same for the files of a folder that was chosen, each of which knows its path. A phone that has no folders to
// choose gives files without one.
export function readChosenFolder(files) {
  if (!files[0].webkitRelativePath) return { files: [...files].map((file) => ({ file })), notices: [] };
  const top = files[0].webkitRelativePath.split("/")[0];
  const count = newCount();
  const sounds = [...files].map((file) => ({ file, path: file.webkitRelativePath.slice(top.length + 1) }))
    .filter(({ path }) => isSound(path, count));
  return describe(top, sounds, count);
}

// Firefox and Chromium list a dropped folder among the files too, where it can't be read.
const isFolder = (entry, file) => entry.isDirectory && entry.name === file.name;

async function readFolder(top) {
  const sounds = [];
  const count = newCount();
  const waiting = [{ entry: top, path: "" }];
  for (let seen = 0; seen < waiting.length && sounds.length <= MAX_FILES; seen += 1) {
    const { entry, path } = waiting[seen];
    if (seen >= MAX_ENTRIES) {
      count.isCutOff = true;
      break;
    }
    if (entry.isFile) {
      if (isSound(path, count)) await open(entry).then((file) => sounds.push({ file, path }), () => count.unread.push(entry.name));
    } else if (path && isHidden(entry.name)) {
      count.hidden += 1;
    } else {
      const found = await list(entry).catch(() => { count.unread.push(entry.name); return []; });
      waiting.push(...found.map((inner) => ({ entry: inner, path: path ? `${path}/${inner.name}` : inner.name })));
    }
  }
  return describe(top.name, sounds, count);
}

const open = (entry) => new Promise((resolve, reject) => entry.file(resolve, reject));

// `readEntries` gives a hundred entries at a time, and none at the end.
async function list(folder) {
  const reader = folder.createReader();
  const entries = [];
  for (;;) {
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!some.length) return entries;
    entries.push(...some);
  }
}

function describe(name, sounds, count) {
  const notices = describeCount(name, count);
  if (!sounds.length && !count.unread.length) notices.unshift(`The folder ${name} holds no sounds.`);
  if (sounds.length > MAX_FILES) {
    const taken = `${name} holds more than ${MAX_FILES} sounds. Only the first ${MAX_FILES} were taken. `;
    notices.push(`${taken}Drop the folders inside it one by one.`);
  } else if (count.isCutOff) {
    notices.push(`${name} holds more than ${MAX_ENTRIES} files. The others were not looked at. Drop the folders inside it one by one.`);
  }
  const files = sounds.slice(0, MAX_FILES).map(({ file, path }) => (
    { file, collection: name, folder: path.includes("/") ? path.slice(0, path.lastIndexOf("/")) : "" }
  ));
  return { files, notices };
}
