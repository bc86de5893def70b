/**
 * Device files: `/dev` in just-bash's file system in memory, which has ordinary files there. Here each is what it is called: what is written to
 * `/dev/null` is nowhere, and none can be made, moved or removed. The file system goes on having an empty file for each, which is never written to.
 *
 * A read has an end here: of `/dev/zero` and of random bytes it gives so many. `/dev/tty` and what is open under a number (`/dev/fd/1`) aren't there
 * for a file system; just-bash knows some of them by name, and keeps what `<(…)` printed under higher numbers.
 */
import { randomFillSync } from "node:crypto";
import { limits } from "@troupe/protocol";
import type { InMemoryFs } from "just-bash";
import { DEVICES, isDevice } from "../devices.ts";
import { fileWriters } from "./file-methods.ts";

interface Device {
  read(): Uint8Array;
  /** Throws what Linux says. */
  write(path: string): void;
}

const MODE = 0o666;
/** just-bash's own: what a process substitution printed. */
const SUBSTITUTED = /^\/dev\/fd\/\d\d$/;

const nothing = () => new Uint8Array();
const taken = () => undefined;
const none: Device = { read: nothing, write: (path) => refuse("ENXIO", path) };

const devices: ReadonlyMap<string, Device> = new Map([
  ["null", { read: nothing, write: taken }],
  ["zero", { read: zeros, write: taken }],
  ["full", { read: zeros, write: (path: string) => refuse("ENOSPC", path) }],
  ["random", { read: randomBytes, write: taken }],
  ["urandom", { read: randomBytes, write: taken }],
  ["tty", { read: () => refuse("ENXIO", `${DEVICES}/tty`), write: none.write }],
  ["stdin", none],
  ["stdout", none],
  ["stderr", none],
]);

/** Puts an empty file there for each. */
export function placeDevices(files: InMemoryFs): void {
  for (const name of devices.keys()) files.writeFileSync(`${DEVICES}/${name}`, "", undefined, { mode: MODE });
}

/** Makes them what they are: before links are followed, so that paths are what they lead to. */
export function workAsDevices(files: InMemoryFs): void {
  readThem(files);
  lookAtThem(files);
  for (const [name, { changes, leads }] of fileWriters) {
    const method: unknown = Reflect.get(files, name);
    if (typeof method !== "function" || leads.length === 0) continue;
    Reflect.set(files, name, async (...args: unknown[]): Promise<unknown> => {
      const paths = changes.map((place) => `${args[place]}`);
      const [path] = paths.filter((changed) => isDevice(changed) && !SUBSTITUTED.test(changed));
      if (path === undefined && name !== "cp") return await Reflect.apply(method, files, args);
      const plain = () => Reflect.apply(method, files, args);
      return await (path === undefined ? copy(files, args, plain) : change(files, name, path, plain));
    });
  }
}

/** Of an empty file alone it is looked where its path leads. */
function readThem(files: InMemoryFs): void {
  const read = files.readFileBuffer.bind(files);
  files.readFileBuffer = async (path) => {
    const content = await read(path);
    return content.byteLength > 0 ? content : ((await deviceAt(files, path))?.read() ?? content);
  };
}

/** They are neither files nor directories. */
function lookAtThem(files: InMemoryFs): void {
  for (const name of ["stat", "lstat"] as const) {
    const look = files[name].bind(files);
    files[name] = async (path) => {
      const stat = await look(path);
      if (!stat.isFile || stat.size > 0) return stat;
      return (await deviceAt(files, path)) === undefined ? stat : { ...stat, isFile: false };
    };
  }
}

async function deviceAt(files: InMemoryFs, path: string): Promise<Device | undefined> {
  const real = await files.realpath(path).catch(() => "");
  return isDevice(real) ? devices.get(real.slice(DEVICES.length + 1)) : undefined;
}

/** What a method does to something in `/dev`: what is there is written to, and stays. */
async function change(files: InMemoryFs, name: string, path: string, plain: () => unknown): Promise<unknown> {
  const device = devices.get(path.slice(DEVICES.length + 1));
  const isThere = await files.exists(path);
  switch (name) {
    case "writeFile":
    case "appendFile":
    case "cp":
      return device === undefined ? refuse(numbered(path), path) : device.write(path);
    case "utimes":
      return;
    case "mkdir":
    case "symlink":
    case "link":
      return isThere ? await plain() : refuse("EROFS", path);
    case "chmod":
      return isThere ? refuse("EPERM", path) : await plain();
    default:
      return isThere || name === "mv" ? refuse("EROFS", path) : await plain();
  }
}

/** A device's copy is a file with what it gives. */
async function copy(
  files: InMemoryFs,
  [from, to]: readonly unknown[],
  plain: () => unknown,
): Promise<unknown> {
  const device = await deviceAt(files, `${from}`);
  return device === undefined ? await plain() : await files.writeFile(`${to}`, device.read());
}

function numbered(path: string): Refusal {
  return path.startsWith(`${DEVICES}/fd/`) ? "ENXIO" : "EROFS";
}

function zeros(): Uint8Array {
  return new Uint8Array(limits.sandboxDeviceBytes);
}

function randomBytes(): Uint8Array {
  return randomFillSync(zeros());
}

const words = {
  EROFS: "read-only file system",
  EPERM: "operation not permitted",
  ENOSPC: "no space left on device",
  ENXIO: "no such device or address",
};
type Refusal = keyof typeof words;

function refuse(code: Refusal, path: string): never {
  throw new Error(`${code}: ${words[code]}, '${path}'`);
}
