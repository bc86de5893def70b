/**
 * Whiteouts: how an archive says that a path is removed of what every sandbox, or an overlay, has there.
 *
 * As in layers of OCI: an empty file beside it, `.wh.` before its name. A sandbox may have files of such names too, so a
 * whiteout has the attribute that overlayfs knows one by; a file without it is a file. Whoever unpacks the archive elsewhere finds an empty file.
 */

const PREFIX = ".wh.";
const ATTRIBUTE = "SCHILY.xattr.user.overlay.whiteout";

/** What of an entry's header says whether it is one. */
interface EntryHead {
  readonly name: string;
  readonly type?: string;
  readonly size: number;
  readonly pax?: Readonly<Record<string, string>>;
}

/** The header of the whiteout of a path, which has no "/" at its beginning. */
export function whiteoutOf(path: string) {
  const cut = path.lastIndexOf("/") + 1;
  const name = `${path.slice(0, cut)}${PREFIX}${path.slice(cut)}`;
  const pax = { [ATTRIBUTE]: "y" };
  return { name, type: "file" as const, size: 0, mode: 0o644, mtime: new Date(0), pax };
}

/** The path that an entry is the whiteout of; undefined: it is none. */
export function removedBy({ name, type = "file", size, pax }: EntryHead): string | undefined {
  if (type !== "file" || size !== 0 || pax?.[ATTRIBUTE] === undefined) return undefined;
  const cut = name.lastIndexOf("/") + 1;
  return name.startsWith(PREFIX, cut) ? name.slice(0, cut) + name.slice(cut + PREFIX.length) : undefined;
}
