/**
 * What a shared library's file looks like, as far as it must be known before the dynamic linker sees it.
 *
 * The linker maps what the file's headers promise. Of a file that is cut short it maps pages that aren't there, and the
 * process dies of SIGBUS when one is touched: half a copied file must be an error, not the end of the host.
 */

const ELF = 0x7f454c46;
/** Mach-O of 64 bits, and archives of several, as they are read big-endian. Its linker looks at sizes by itself. */
const MACH_O: readonly number[] = [0xcffaedfe, 0xcafebabe, 0xcafebabf];
const HEADER_BYTES = 64;
const SHARED_OBJECT = 3;
const LOADED = 1;

/** Why `bytes` aren't a shared library of `platform`; undefined when they look like one. */
export function wrongWithImage(bytes: Buffer, platform: NodeJS.Platform): string | undefined {
  if (bytes.byteLength < HEADER_BYTES) return "it is too short for one";
  const magic = bytes.readUInt32BE(0);
  if (platform === "darwin") return MACH_O.includes(magic) ? undefined : "it doesn't begin as one does";
  if (magic !== ELF) return "it doesn't begin as one does";
  return wrongWithElf(bytes);
}

/** 64 bits, little-endian; other kinds are the linker's to refuse. */
function wrongWithElf(bytes: Buffer): string | undefined {
  if (bytes[4] !== 2 || bytes[5] !== 1) return undefined;
  if (bytes.readUInt16LE(16) !== SHARED_OBJECT) return "it is a program or an object file";
  const table = Number(bytes.readBigUInt64LE(32));
  const size = bytes.readUInt16LE(54);
  const count = bytes.readUInt16LE(56);
  if (size < 56 || table + size * count > bytes.byteLength) return "it is cut short";
  for (let at = table; at < table + size * count; at += size) {
    const end = Number(bytes.readBigUInt64LE(at + 8)) + Number(bytes.readBigUInt64LE(at + 32));
    if (bytes.readUInt32LE(at) === LOADED && end > bytes.byteLength) return "it is cut short";
  }
  return undefined;
}
