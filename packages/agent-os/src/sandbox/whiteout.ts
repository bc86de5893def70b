/**
 * Whiteouts: how an archive says that a path is removed of what every sandbox, or an overlay, has there.
 *
 * As in layers of OCI: an empty file beside it, `.wh.` before its name. A sandbox may have files of such names too, so a
 * whiteout has the attribute that overlayfs knows one by; a file without it is a file. Whoever unpacks the archive elsewhere finds an empty file.
 */
import type { TarHeader } from "modern-tar";

const PREFIX = ".wh.";
const ATTRIBUTE = "SCHILY.xattr.user.overlay.whiteout";

/** The whiteout of a path, which has no "/" at its beginning. */
export function whiteoutOf(path: string): TarHeader {
  const cut = path.lastIndexOf("/") + 1;
  const name = `${path.slice(0, cut)}${PREFIX}${path.slice(cut)}`;
  return { name, type: "file", size: 0, mode: 0o644, mtime: new Date(0), pax: { [ATTRIBUTE]: "y" } };
}

/** The path that an entry is the whiteout of; undefined: it is none. */
export function removedBy({ name, type = "file", size, pax }: TarHeader): string | undefined {
  if (type !== "file" || size !== 0 || pax?.[ATTRIBUTE] === undefined) return undefined;
  const cut = name.lastIndexOf("/") + 1;
  return name.startsWith(PREFIX, cut) ? name.slice(0, cut) + name.slice(cut + PREFIX.length) : undefined;
}
