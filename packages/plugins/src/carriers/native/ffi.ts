/**
 * All that we take from the foreign function interface, in one file: `koffi` today, `node:ffi` when it is ready.
 *
 * koffi is an optional dependency, imported when the first native plugin is loaded. No callback is ever given to it: a
 * callback from a thread that isn't JavaScript's waits for the event loop, and whoever joins that thread meanwhile waits
 * for ever. Of its calls only `open` and `close` leave the JavaScript thread.
 */
import { constants } from "node:os";
import { isOutOfDescriptors, tooManyOpenFiles } from "@troupe/runtime/process";
import { packageErrors } from "../../errors.ts";
import { nativeErrors } from "./errors.ts";

type Koffi = typeof import("koffi")["default"];

/** A plugin's handle: its address. The plugin's own; to us it is opaque. */
export type PluginHandle = bigint;

/** What `troupe_plugin_open` is told of the host. */
export interface HostTable {
  readonly wake: number;
  readonly maxFrame: number;
  readonly maxQueued: number;
}

/** The functions of the ABI, of one loaded library. */
export interface NativeLibrary {
  abi(): number;
  /** Unmaps it. Only before anything but `abi` was called: later nobody can say that no thread of it runs. */
  unload(): void;
  /**
   * From now on it stays mapped, whoever lets go of it. At the end of the process koffi lets go of everything, while threads
   * of the library's may run.
   */
  pin(): void;
  /** Off the JavaScript thread. */
  open(
    host: HostTable,
    config: Uint8Array,
  ): Promise<{ readonly status: number; readonly plugin: PluginHandle | undefined }>;
  /** The first `bytes` of `frames`. */
  push(plugin: PluginHandle, frames: Uint8Array, bytes: number): number;
  pull(plugin: PluginHandle, into: Uint8Array): number;
  /** Off the JavaScript thread. */
  close(plugin: PluginHandle, timeoutMs: number): Promise<number>;
}

/** A pipe: both ends are non-blocking and end with this program. */
export interface Pipe {
  readonly read: number;
  readonly write: number;
}

/** The foreign function interface. */
export interface Ffi {
  /** Loads the library at `path` and finds its functions. Throws `plugin.load_failed`, `plugin.symbol_missing`. */
  load(path: string): NativeLibrary;
  /** Throws `plugin.no_descriptor`. */
  pipe(): Pipe;
}

/** The host's own ABI version: major << 16 | minor. */
export const HOST_ABI = 0x0001_0000;

/** One for the process: what koffi was told of a type or a function it keeps for good. */
let known: Promise<Ffi> | undefined;

/** Imports koffi. Rejects with `package.missing`; the next one asks again. */
export function importFfi(): Promise<Ffi> {
  if (known !== undefined) return known;
  const importing = makeFfi();
  known = importing;
  importing.catch(() => {
    known = undefined;
  });
  return importing;
}

/**
 * From now on the kernel sends this process SIGCONT when the one that started it is gone, however it went: one that was stopped goes on.
 * Linux only. Rejects where koffi is missing.
 */
export async function goOnBehindParent(): Promise<void> {
  const koffi = await importKoffi();
  const prctl = koffi.load(null).func("int prctl(int, ulong, ulong, ulong, ulong)");
  prctl(LINUX.PR_SET_PDEATHSIG, constants.signals.SIGCONT, 0, 0, 0);
}

async function makeFfi(): Promise<Ffi> {
  const koffi = await importKoffi();
  const host = koffi.struct({
    size: "uint32_t",
    abi: "uint32_t",
    wake: "int64_t",
    wake_kind: "uint32_t",
    max_frame: "uint32_t",
    max_queued: "uint32_t",
  });
  return { load: (path) => bind(koffi, host, path), pipe: pipesOf(koffi) };
}

async function importKoffi(): Promise<Koffi> {
  try {
    return (await import("koffi")).default;
  } catch (cause) {
    // Node takes what it can't open for what isn't there.
    if (isOutOfDescriptors()) throw tooManyOpenFiles(cause);
    throw packageErrors.missing("koffi", "A native plugin", cause);
  }
}

function bind(koffi: Koffi, host: ReturnType<Koffi["struct"]>, path: string): NativeLibrary {
  const library = loadLibrary(koffi, path);
  const missing: string[] = [];
  const find = (name: string, result: string, ...args: Parameters<typeof koffi.out>[0][]) => {
    try {
      return library.func(`troupe_plugin_${name}`, result, args);
    } catch {
      missing.push(`troupe_plugin_${name}`);
      return undefined;
    }
  };
  const abi = find("abi", "uint32_t");
  const open = find(
    "open",
    "int32_t",
    koffi.pointer(host),
    "const uint8_t *",
    "size_t",
    koffi.out(koffi.pointer("void *")),
  );
  const push = find("push", "int32_t", "void *", "const uint8_t *", "size_t");
  const pull = find("pull", "int64_t", "void *", "uint8_t *", "size_t");
  const close = find("close", "int32_t", "void *", "uint32_t");
  if (!abi || !open || !push || !pull || !close) {
    library.unload();
    throw nativeErrors.symbolMissing(missing);
  }
  return {
    abi: () => Number(abi()),
    unload: () => library.unload(),
    pin: () => pin(koffi, path),
    open: async (table, config) => {
      // The plugin writes its handle's address here.
      const out: [bigint | null] = [null];
      const wire = {
        size: koffi.sizeof(host),
        abi: HOST_ABI,
        wake: table.wake,
        wake_kind: 1,
        max_frame: table.maxFrame,
        max_queued: table.maxQueued,
      };
      const status = await offThread(open, wire, config, config.byteLength, out);
      return { status, plugin: out[0] ?? undefined };
    },
    push: (plugin, frames, bytes) => Number(push(plugin, frames, bytes)),
    pull: (plugin, into) => Number(pull(plugin, into, into.byteLength)),
    close: (plugin, timeoutMs) => offThread(close, plugin, timeoutMs),
  };
}

/** One handle more, which is never closed. Where that fails, the library is as it was. */
function pin(koffi: Koffi, path: string): void {
  const { RTLD_NOW, RTLD_NODELETE } = process.platform === "darwin" ? MACOS : LINUX;
  koffi.load(null).func("void *dlopen(const char *path, int flags)")(path, RTLD_NOW | RTLD_NODELETE);
}

function loadLibrary(koffi: Koffi, path: string): ReturnType<Koffi["load"]> {
  try {
    return koffi.load(path);
  } catch (cause) {
    throw nativeErrors.loadFailed(cause instanceof Error ? cause.message : String(cause), cause);
  }
}

function offThread(call: { async: (...args: unknown[]) => unknown }, ...args: unknown[]): Promise<number> {
  return new Promise((resolve, reject) => {
    call.async(...args, (error: unknown, result: unknown) => {
      if (error) reject(error);
      else resolve(Number(result));
    });
  });
}

/** Linux' numbers; macOS has no pipe2 and gets its flags one by one. */
const LINUX = {
  ...{ O_NONBLOCK: 0o4000, O_CLOEXEC: 0o2000000, PR_SET_PDEATHSIG: 1 },
  ...{ RTLD_NOW: 2, RTLD_NODELETE: 0x1000 },
} as const;
const MACOS = {
  ...{ F_SETFD: 2, FD_CLOEXEC: 1, F_SETFL: 4, O_NONBLOCK: 4 },
  ...{ RTLD_NOW: 2, RTLD_NODELETE: 0x80 },
} as const;

function pipesOf(koffi: Koffi): () => Pipe {
  const fill = process.platform === "linux" ? pipesOfLinux(koffi) : pipesOfMac(koffi);
  return () => {
    const ends = new Int32Array(2);
    const made = fill(ends);
    const [read, write] = ends;
    if (made !== 0 || read === undefined || write === undefined)
      throw nativeErrors.noDescriptor(koffi.errno());
    return { read, write };
  };
}

/** Writes both ends of a new pipe; 0, or what went wrong is in errno. */
type FillPipe = (ends: Int32Array) => number;

function pipesOfLinux(koffi: Koffi): FillPipe {
  const pipe2 = koffi.load(null).func("int pipe2(int *ends, int flags)");
  return (ends) => Number(pipe2(ends, LINUX.O_NONBLOCK | LINUX.O_CLOEXEC));
}

function pipesOfMac(koffi: Koffi): FillPipe {
  const libc = koffi.load(null);
  const pipe = libc.func("int pipe(int *ends)");
  const fcntl = libc.func("int fcntl(int fd, int command, ...)");
  return (ends) => {
    const made = Number(pipe(ends));
    if (made !== 0) return made;
    for (const end of ends) {
      fcntl(end, MACOS.F_SETFD, "int", MACOS.FD_CLOEXEC);
      fcntl(end, MACOS.F_SETFL, "int", MACOS.O_NONBLOCK);
    }
    return 0;
  };
}
