/** File methods: what each method of just-bash's file system in memory does to the paths that it is given. Its type names them all: a new one must be said here. */
import type { InMemoryFs } from "just-bash";
import { forCopy, forDirectory, forFile, forMoved, forName, type PlaceCheck } from "./place-checks.ts";

/** A method that changes files. */
export interface FileWriter {
  /** The places of the paths that it changes, among its arguments. */
  readonly changes: readonly number[];
  /** The places of the paths that are led through links first. What isn't asynchronous is called with paths that have none. */
  readonly leads: readonly number[];
  /** What it does to a link it does to where that leads. */
  readonly through: boolean;
  /** It changes all that is below a path, too. */
  readonly deep: boolean;
  /** It makes what wasn't there. What makes nothing takes any name: what has too long a one, from an earlier version, can be removed. */
  readonly makes: boolean;
  /** Whether Linux would put something where the paths lead. Undefined where nothing is put, and of what isn't asynchronous. */
  readonly check: PlaceCheck | undefined;
}

const methods = {
  writeFileSync: writer([0], { leads: [] }),
  writeFileLazy: writer([0], { leads: [] }),
  mkdirSync: writer([0], { leads: [] }),
  writeFile: writer([0], { through: true, check: forFile }),
  appendFile: writer([0], { through: true, check: forFile }),
  mkdir: writer([0], { check: forDirectory }),
  rm: writer([0], { deep: true, makes: false }),
  cp: writer([1], { deep: true, check: forCopy }),
  mv: writer([0, 1], { deep: true, check: forMoved }),
  chmod: writer([0], { through: true, makes: false }),
  utimes: writer([0], { through: true, makes: false }),
  symlink: writer([1], { check: forName }),
  link: writer([1], { leads: [0, 1], check: forName }),
  readFile: undefined,
  readFileBytes: undefined,
  readFileBuffer: undefined,
  exists: undefined,
  stat: undefined,
  lstat: undefined,
  readdir: undefined,
  readdirWithFileTypes: undefined,
  getAllPaths: undefined,
  resolvePath: undefined,
  readlink: undefined,
  realpath: undefined,
} satisfies Record<keyof InMemoryFs, FileWriter | undefined>;

/** Those that change something. */
export const fileWriters: readonly (readonly [name: string, writer: FileWriter])[] = Object.entries(
  methods,
).flatMap(([name, method]) => (method === undefined ? [] : [[name, method] as const]));

function writer(changes: readonly number[], more: Partial<FileWriter> = {}): FileWriter {
  return { changes, leads: changes, through: false, deep: false, makes: true, check: undefined, ...more };
}
