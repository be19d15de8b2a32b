// Packs the projects of a chosen folder into one ZIP, without compression. The files stay on the disk: the ZIP
// refers to them, and each is read once for its checksum.
import { checksum } from "./zip_reader.js";

const KIT_FILES = ["padconf.bin", "kit.json"];
const UTF8_NAMES = 0x0800;
const FIRST_DAY_OF_DOS = 0x21;
const MAX_ENTRIES = 65_535;

const folderOf = (path) => path.slice(0, path.lastIndexOf("/") + 1);
const nameOf = (path) => path.slice(path.lastIndexOf("/") + 1);

// The files in and below every folder that has a project or a kit.json.
export function projectFiles(files) {
  const paths = files.map((file) => file.webkitRelativePath);
  const roots = paths.filter((path) => KIT_FILES.includes(nameOf(path).toLowerCase())).map(folderOf);
  return files.filter((file) => {
    const path = file.webkitRelativePath;
    return !nameOf(path).startsWith("._") && roots.some((root) => path.startsWith(root));
  });
}

export async function zipFiles(files, onProgress) {
  if (files.length > MAX_ENTRIES) throw new Error("The folder has too many files. Choose that of one project.");
  const parts = [];
  const directory = [];
  let offset = 0;
  for (const [number, file] of files.entries()) {
    const name = new TextEncoder().encode(file.webkitRelativePath);
    const crc = await checksum(file.stream());
    const head = numbers(30, [0x04034b50, 4], [20, 2], [UTF8_NAMES, 2], [0, 2], [0, 2], [FIRST_DAY_OF_DOS, 2],
      [crc, 4], [file.size, 4], [file.size, 4], [name.length, 2], [0, 2]);
    directory.push(numbers(46, [0x02014b50, 4], [20, 2], [20, 2], [UTF8_NAMES, 2], [0, 2], [0, 2],
      [FIRST_DAY_OF_DOS, 2], [crc, 4], [file.size, 4], [file.size, 4], [name.length, 2], [0, 2], [0, 2], [0, 2],
      [0, 2], [0, 4], [offset, 4]), name);
    parts.push(head, name, file);
    offset += head.length + name.length + file.size;
    onProgress((number + 1) / files.length);
  }
  const size = directory.reduce((sum, part) => sum + part.length, 0);
  const end = numbers(22, [0x06054b50, 4], [0, 2], [0, 2], [files.length, 2], [files.length, 2], [size, 4],
    [offset, 4], [0, 2]);
  return new Blob([...parts, ...directory, end], { type: "application/zip" });
}

// So many bytes of little-endian numbers, each with its width.
function numbers(length, ...fields) {
  const view = new DataView(new ArrayBuffer(length));
  let at = 0;
  for (const [value, width] of fields) {
    if (width === 4) view.setUint32(at, value, true);
    else view.setUint16(at, value, true);
    at += width;
  }
  return new Uint8Array(view.buffer);
}
