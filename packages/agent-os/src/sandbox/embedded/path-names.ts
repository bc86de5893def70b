/** Paths that no file system of a real machine takes, refused as one would: what is made here may go to one. */

/** Bytes of UTF-8, as Linux has them. */
const NAME_BYTES = 255;
const PATH_BYTES = 4_095;

/** Throws "EINVAL: …", "ENAMETOOLONG: …". */
export function checkPath(path: string): void {
  if (path.includes("\0")) throw new Error(`EINVAL: a path has no null byte, '${path}'`);
  // Half of a character has no bytes.
  if (!path.isWellFormed()) throw new Error(`EINVAL: a path is Unicode text, '${path.toWellFormed()}'`);
  if (path.split("/").some((name) => Buffer.byteLength(name) > NAME_BYTES)) throw tooLong(path);
  checkTarget(path);
}

/** What a link leads to needs no names that could be, but has an end. Throws "EINVAL: …", "ENAMETOOLONG: …". */
export function checkTarget(target: string): void {
  if (!target.isWellFormed())
    throw new Error(`EINVAL: a link's target is Unicode text, '${target.toWellFormed()}'`);
  if (Buffer.byteLength(target) > PATH_BYTES) throw tooLong(target);
}

function tooLong(path: string): Error {
  return new Error(`ENAMETOOLONG: name too long, '${path.slice(0, NAME_BYTES)}…'`);
}
