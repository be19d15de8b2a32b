// Reads the files of a ZIP without copying them: each stays a part of the blob until it is wanted.
const END = 0x06054b50;
const END_64 = 0x06064b50;
const LOCATOR_64 = 0x07064b50;
const ENTRY = 0x02014b50;
const END_BYTES = 22;
const LOCATOR_BYTES = 20;
const LONGEST_COMMENT = 0xffff;
const IN_EXTRA = 0xffffffff; // the real number stands in the ZIP64 field
const STORED = 0;
const DEFLATED = 8;

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

// Return the CRC-32 of everything a stream gives; `seen` is told of each part.
export async function checksum(stream, seen = () => {}) {
  let crc = 0xffffffff;
  const reader = stream.getReader();
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    seen(part.value.length);
    for (const byte of part.value) crc = TABLE[(crc ^ byte) & 0xff] ^ (crc >>> 8);
  }
  return ~crc >>> 0;
}

// Return every file of a ZIP: its path, size and CRC-32, and `open`, which resolves to a stream of its bytes.
export async function readZip(blob) {
  const { count, at, size } = await findDirectory(blob);
  const view = await viewOf(blob, at, size);
  const entries = [];
  for (let offset = 0; entries.length < count;) {
    if (view.getUint32(offset, true) !== ENTRY) throw new Error("the list of files is damaged");
    const lengths = [28, 30, 32].map((field) => view.getUint16(offset + field, true));
    entries.push(readEntry(blob, view, offset, lengths));
    offset += 46 + lengths[0] + lengths[1] + lengths[2];
  }
  return entries.filter((entry) => !entry.path.endsWith("/"));
}

async function viewOf(blob, at, size) {
  return new DataView(await blob.slice(at, at + size).arrayBuffer());
}

async function findDirectory(blob) {
  const tail = Math.max(blob.size - END_BYTES - LONGEST_COMMENT, 0);
  const view = await viewOf(blob, tail, blob.size - tail);
  let end = view.byteLength - END_BYTES;
  while (end >= 0 && view.getUint32(end, true) !== END) end -= 1;
  if (end < 0) throw new Error("it is not a ZIP, or is cut off");
  const locator = await viewOf(blob, Math.max(tail + end - LOCATOR_BYTES, 0), LOCATOR_BYTES);
  if (locator.byteLength === LOCATOR_BYTES && locator.getUint32(0, true) === LOCATOR_64) {
    const large = await viewOf(blob, Number(locator.getBigUint64(8, true)), 56);
    if (large.getUint32(0, true) !== END_64) throw new Error("its end is damaged");
    const [count, size, at] = [32, 40, 48].map((field) => Number(large.getBigUint64(field, true)));
    return { count, at, size };
  }
  const [size, at] = [12, 16].map((field) => view.getUint32(end + field, true));
  return { count: view.getUint16(end + 10, true), at, size };
}

function readEntry(blob, view, offset, [nameBytes, extraBytes]) {
  const name = new Uint8Array(view.buffer, offset + 46, nameBytes);
  const [crc, packed, size, at] = [16, 20, 24, 42].map((field) => view.getUint32(offset + field, true));
  const extra = new DataView(view.buffer, offset + 46 + nameBytes, extraBytes);
  const large = largeNumbers(extra);
  const real = (value) => (value === IN_EXTRA ? large.shift() : value);
  const unpacked = real(size); // in this order they stand in the extra field
  const stored = real(packed);
  const header = real(at);
  const method = view.getUint16(offset + 10, true);
  return {
    path: new TextDecoder().decode(name),
    size: unpacked,
    crc,
    open: () => openEntry(blob, header, stored, method),
  };
}

function largeNumbers(extra) {
  for (let at = 0; at + 4 <= extra.byteLength; at += 4 + extra.getUint16(at + 2, true)) {
    if (extra.getUint16(at, true) !== 1) continue;
    const count = extra.getUint16(at + 2, true) >> 3;
    return Array.from({ length: count }, (_, number) => Number(extra.getBigUint64(at + 4 + 8 * number, true)));
  }
  return [];
}

async function openEntry(blob, header, stored, method) {
  if (![STORED, DEFLATED].includes(method)) throw new Error("it is packed in an unknown way");
  const local = await viewOf(blob, header, 30);
  const start = header + 30 + local.getUint16(26, true) + local.getUint16(28, true);
  const bytes = blob.slice(start, start + stored).stream();
  return method === STORED ? bytes : bytes.pipeThrough(new DecompressionStream("deflate-raw"));
}
