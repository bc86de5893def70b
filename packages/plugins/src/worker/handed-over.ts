/** What the host's own programs are told of a plugin: one JSON value on standard input. */
import { text } from "node:stream/consumers";

/** A plugin in JavaScript whose modules are checked. */
export interface HandedModules {
  readonly manifest: string;
  readonly folder: string;
  /** Absolute. */
  readonly entry: string;
  readonly digests: readonly (readonly [path: string, sha256: string])[];
}

/** A shared library that runs in a process of its own. */
export interface HandedLibrary {
  /** Absolute. */
  readonly library: string;
  readonly sha256: string | null;
}

/** Reads it. The host wrote it a moment ago, in the shape that the program was made for. */
export async function readHandedOver<T extends HandedModules | HandedLibrary>(): Promise<T> {
  const handed: T = JSON.parse(await text(process.stdin));
  return handed;
}
