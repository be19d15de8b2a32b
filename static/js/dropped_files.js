// Read what was dropped: the files, and those in every folder, however deep.

const MAX_FILES = 1000;
const HIDDEN = /^\.|^(__macosx|thumbs\.db|desktop\.ini)$/i;
const BESIDE_SOUNDS = /\.(asd|reapeaks|pkf|sfk|ovw|lnk|url|pdf|rtf|nfo)$/i;
const NO_SOUND = /^(image|text)\//;

// Resolves to { files, notices }; each notice is a sentence about what was not taken. A browser forgets the
// entries when the event ends, so they are collected before the first `await`.
export async function readDrop(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  const loose = [...transfer.files].filter((file) => !entries.some((entry) => isFolder(entry, file)));
  const folders = entries.filter((entry) => entry.isDirectory);
  const read = [];
  for (const folder of folders) read.push(await readFolder(folder));
  return {
    files: [...loose, ...read.flatMap((folder) => folder.files)],
    notices: read.flatMap((folder) => folder.notices),
  };
}

// Firefox and Chromium list a dropped folder among the files too, where it can't be read.
const isFolder = (entry, file) => entry.isDirectory && entry.name === file.name;

async function readFolder(folder) {
  const files = [];
  const leftOut = [];
  const unread = [];
  const waiting = [folder];
  while (waiting.length && files.length <= MAX_FILES) {
    const entry = waiting.shift();
    if (entry !== folder && isBesideSounds(entry)) leftOut.push(entry.name);
    else if (entry.isDirectory) waiting.push(...await list(entry).catch(() => { unread.push(entry.name); return []; }));
    else await open(entry).then((file) => sortOut(file, files, leftOut), () => unread.push(entry.name));
  }
  return { files: files.slice(0, MAX_FILES), notices: describe(folder.name, files, leftOut, unread) };
}

const isBesideSounds = (entry) => HIDDEN.test(entry.name) || (entry.isFile && BESIDE_SOUNDS.test(entry.name));
const sortOut = (file, files, leftOut) => (NO_SOUND.test(file.type) ? leftOut.push(file.name) : files.push(file));
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

function describe(name, files, leftOut, unread) {
  const notices = [];
  const count = (number) => (number === 1 ? "1 file" : `${number} files`);
  if (unread.length) notices.push(`${name}: the browser could not read ${unread.join(", ")}. Drop it again.`);
  else if (!files.length) notices.push(`The folder ${name} holds no sounds.`);
  if (leftOut.length) {
    const named = leftOut.slice(0, 3).join(", ") + (leftOut.length > 3 ? ", …" : "");
    notices.push(`${name}: ${count(leftOut.length)} left out because they hold no sound: ${named}`);
  }
  if (files.length > MAX_FILES) {
    const taken = `${name} holds more than ${MAX_FILES} files. Only the first ${MAX_FILES} were taken. `;
    notices.push(`${taken}Drop the folders inside it one by one.`);
  }
  return notices;
}
