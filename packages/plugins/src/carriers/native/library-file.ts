/**
 * The bytes of a library, read once: what was checked is what is loaded.
 *
 * `dlopen` of a path whose file was overwritten gives the code that is loaded already, and a file may change between a
 * check and its loading. So the bytes are read, looked at, digested and written to a file of our own, named by the
 * digest, in a directory that nobody else can write to; that file is loaded, and unlinked right after: the mapping
 * keeps it, and nothing is left behind, whatever happens to this process.
 */
import { createHash } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { limits } from "@troupe/protocol";
import { readBounded } from "../../bounded-file.ts";
import { nativeErrors } from "./errors.ts";
import { wrongWithImage } from "./image.ts";

/** A library as it was read. */
export interface LibraryFile {
  readonly path: string;
  readonly bytes: Buffer;
  /** SHA-256, hexadecimal. */
  readonly digest: string;
}

/**
 * Reads a library; with `sha256`, only the one that has it. Rejects with `plugin.library_missing`,
 * `plugin.library_too_large`, `plugin.integrity_mismatch`, `plugin.not_a_library`.
 */
export async function readLibrary(path: string, sha256?: string): Promise<LibraryFile> {
  const bytes = await readBytes(path);
  const digest = createHash("sha256").update(bytes).digest("hex");
  if (sha256 !== undefined && sha256.toLowerCase() !== digest)
    throw nativeErrors.integrityMismatch(path, { expected: sha256, found: digest });
  const wrong = wrongWithImage(bytes, process.platform);
  if (wrong !== undefined) throw nativeErrors.notALibrary(path, wrong);
  return { path, bytes, digest };
}

/** Gives `use` the path of a private copy, which is gone afterwards. */
export async function withPrivateCopy<T>(file: LibraryFile, use: (path: string) => T): Promise<T> {
  // mkdtemp makes it with mode 0700.
  const directory = await mkdtemp(join(tmpdir(), `troupe-native-${process.pid}-`));
  try {
    const copy = join(directory, `${file.digest}${process.platform === "darwin" ? ".dylib" : ".so"}`);
    await writeFile(copy, file.bytes, { mode: 0o500, flag: "wx" });
    return use(copy);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function readBytes(path: string): Promise<Buffer> {
  try {
    const limitBytes = limits.pluginLibraryBytes;
    const tooLarge = (bytes: number): Error => nativeErrors.libraryTooLarge(path, bytes, limitBytes);
    return await readBounded(path, { limitBytes, tooLarge });
  } catch (cause) {
    if (cause instanceof Error && "errno" in cause) throw nativeErrors.libraryMissing(path, cause);
    throw cause;
  }
}
