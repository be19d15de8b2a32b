// Sorts the files of a folder: sounds, files that a computer put there, and what is not audio.

// By their endings, as in app/sp404/importing/sound_zip.py.
const SOUND = /\.(wave?|bwf|aif[fc]?|flac|mp3|og[ga]|opus|m4[ab]|mp4|3gp|mov|aac)$/i;
const HIDDEN = /^\.|^(__macosx|thumbs\.db|desktop\.ini|system volume information)$/i;
const ZIP = /\.zip$/i;
const MAX_NAMED = 3;

export const isZip = (file) => ZIP.test(file.name);
export const isHidden = (name) => HIDDEN.test(name);
export const newCount = () => ({ noAudio: 0, hidden: 0, zips: [], unread: [] });

// Whether a file is taken; if not, it is counted.
export function isSound(path, count) {
  const names = path.split("/");
  if (names.some(isHidden)) count.hidden += 1;
  else if (ZIP.test(path)) count.zips.push(names.at(-1));
  else if (!SOUND.test(path)) count.noAudio += 1;
  else return true;
  return false;
}

// A sentence for each kind of file that was not taken.
export function describeCount(folder, count) {
  const notices = [];
  if (count.unread.length) notices.push(`${folder}: the browser could not read ${named(count.unread)}. Drop it again.`);
  const total = count.noAudio + count.hidden;
  if (total) {
    const kinds = [[count.noAudio, "not audio"], [count.hidden, "hidden"]].filter(([number]) => number);
    const told = kinds.map(([number, kind]) => `${number} ${number === 1 ? "is" : "are"} ${kind}`).join(", ");
    notices.push(`${folder}: ${total} ${total === 1 ? "file" : "files"} left out: ${told}.`);
  }
  if (count.zips.length) notices.push(`${folder}: ZIPs in a folder are not unpacked. Drop by itself: ${named(count.zips)}.`);
  return notices;
}

const named = (names) => names.slice(0, MAX_NAMED).join(", ") + (names.length > MAX_NAMED ? ", …" : "");
