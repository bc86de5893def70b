/**
 * A directory of the host as an image: what an overlay begins with. Links are kept as links; nothing is followed. An image's names are text: what
 * has a name on the host that isn't UTF-8, or leads to one, isn't in it.
 */
import { isUtf8 } from "node:buffer";
import { lstat, readdir, readFile, readlink } from "node:fs/promises";
import { limits } from "@troupe/protocol";
import { sandboxErrors } from "../errors.ts";
import type { ImageChanges, ImageEntry } from "./file-store.ts";
import type { Mount } from "./mounts.ts";

/** What overlays begin with, parents first. Rejects with `sandbox.archive_too_large`, `sandbox.batch_too_large`, `sandbox.mount_failed`. */
export async function lowerImage(mounts: readonly Mount[]): Promise<ImageChanges> {
  const image: [string, ImageEntry][] = [];
  let bytes = 0;
  const add = (path: string, entry: ImageEntry): void => {
    bytes += entry.type === "file" ? entry.content.byteLength : 0;
    image.push([path, entry]);
    if (bytes > limits.sandboxFileBytes) throw sandboxErrors.archiveTooLarge(limits.sandboxFileBytes);
    if (image.length > limits.sandboxFiles) throw sandboxErrors.batchTooLarge(path, limits.sandboxFiles);
  };
  const enter = async (hostPath: string, path: string): Promise<void> => {
    const stat = await lstat(hostPath);
    const head = { mode: stat.mode & 0o777, modifiedAt: Math.trunc(stat.mtimeMs) };
    if (stat.isSymbolicLink()) {
      const target = await readlink(hostPath, "buffer");
      if (isUtf8(target)) add(path, { type: "symlink", target: String(target) });
    } else if (stat.isFile())
      add(path, { type: "file", content: Uint8Array.from(await readFile(hostPath)), ...head });
    else if (stat.isDirectory()) {
      add(path, { type: "directory", ...head });
      const names = (await readdir(hostPath, "buffer")).filter((name) => isUtf8(name)).map(String);
      for (const name of names.sort()) await enter(`${hostPath}/${name}`, `${path}/${name}`);
    }
  };
  for (const mount of mounts) {
    // The place itself is there from the beginning.
    if (mount.mode === "memory") add(mount.path, { type: "directory", mode: 0o755, modifiedAt: 0 });
    if (!("hostPath" in mount) || mount.mode !== "overlay") continue;
    await enter(mount.hostPath, mount.path).catch((cause: unknown) => {
      throw sandboxErrors.mountFailed(mount.path, cause);
    });
  }
  return image;
}
