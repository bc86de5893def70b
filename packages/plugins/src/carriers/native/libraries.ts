/**
 * The loaded libraries of this process.
 *
 * The one thing that runtimes in a process share, because the dynamic linker does: a library is loaded once per digest,
 * its statics are shared by all who open it, and once a plugin of it was opened it is never unloaded, since nobody can
 * say that no thread of it runs.
 * Two who ask at once wait for one loading; one that failed isn't kept, so that the next may succeed.
 */
import { nativeErrors } from "./errors.ts";
import { type Ffi, HOST_ABI, type NativeLibrary } from "./ffi.ts";
import { foreignAbiOf } from "./foreign-abi.ts";
import { type LibraryFile, withPrivateCopy } from "./library-file.ts";

const loaded = new Map<string, Promise<NativeLibrary>>();

/** The library of these bytes. Rejects with `plugin.load_failed`, `plugin.symbol_missing`, `plugin.foreign_abi`, `plugin.abi_mismatch`. */
export function loadLibrary(ffi: Ffi, file: LibraryFile): Promise<NativeLibrary> {
  const known = loaded.get(file.digest);
  if (known !== undefined) return known;
  const loading = withPrivateCopy(file, (path) => checkAbi(loadOurs(ffi, file, path)));
  loaded.set(file.digest, loading);
  loading.catch(() => loaded.delete(file.digest));
  return loading;
}

function loadOurs(ffi: Ffi, { bytes }: LibraryFile, path: string): NativeLibrary {
  try {
    return ffi.load(path);
  } catch (error) {
    const foreign = foreignAbiOf(bytes);
    if (foreign !== undefined) throw nativeErrors.foreignAbi(foreign.host, foreign.page, error);
    throw error;
  }
}

/** The first call of all: a library of another major version may mean anything by the others. */
function checkAbi(library: NativeLibrary): NativeLibrary {
  const found = library.abi();
  if (found >>> 16 === HOST_ABI >>> 16) {
    library.pin();
    return library;
  }
  library.unload();
  throw nativeErrors.abiMismatch(found, HOST_ABI);
}
