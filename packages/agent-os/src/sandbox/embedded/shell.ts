/**
 * just-bash, in a worker: a shell with about ninety commands, written in JavaScript, over a file system in memory. One of them,
 * `js-exec`, runs JavaScript in an isolate: it sees the sandbox's files, and of Node what just-bash made for it.
 *
 * It is an optional package, imported when the first sandbox boots. An empty shell, which is about ninety files, takes longer to make than
 * most commands take to run: one is made ahead, while nobody waits, with a network if the one before had one. A sandbox's variables and its
 * mounts are put into that one, since another would have to be made for them.
 */
import type { Bash, BashOptions, InMemoryFs, MountableFs, SecureFetch } from "just-bash";
import type { ImageChanges, ImageEntry } from "../file-store.ts";
import { HOME } from "../home.ts";
import { correctBash } from "./bash-command.ts";
import { correctWords } from "./corrected-command.ts";
import { placeDevices, workAsDevices } from "./device-files.ts";
import { correctEnv } from "./env-command.ts";
import { FileWatch } from "./file-watch.ts";
import { correctFind } from "./find-command.ts";
import { correctGrep } from "./grep-patterns.ts";
import { isIncomplete } from "./incomplete-line.ts";
import { keepModes } from "./kept-modes.ts";
import { correctLinkCommands } from "./link-commands.ts";
import { followLinks } from "./linked-paths.ts";
import { correctLn } from "./ln-command.ts";
import { correctLs } from "./ls-command.ts";
import type { Layers, WorkerData } from "./messages.ts";
import { saysPlaces } from "./mount-words.ts";
import { OutputTap } from "./output-tap.ts";
import { correctRefusedCommands } from "./refused-commands.ts";
import { correctSed } from "./sed-backups.ts";
import { giveVariables } from "./shell-state.ts";
import { importJustBash } from "./shell-text.ts";
import { correctStreams } from "./standard-streams.ts";
import { correctStat } from "./stat-command.ts";

/**
 * What just-bash counts to find out that a command doesn't end, and an agent with a log of 200,000 lines meets at once: a command's time and
 * memory have bounds of their own here. Its bounds of bytes and of nesting stay.
 */
const unbounded = {
  maxCommandCount: Infinity,
  maxLoopIterations: Infinity,
  maxAwkIterations: Infinity,
  maxSedIterations: Infinity,
  maxJqIterations: Infinity,
  maxQueryElements: Infinity,
  maxAwkParserOperations: Infinity,
  maxWorkUnits: Infinity,
  maxArrayElements: Infinity,
} as const;
/** Functions that call themselves: their frames are on the worker's own stack. */
const CALL_DEPTH = 1_000;

/** just-bash isn't installed. */
export class JustBashMissing extends Error {}

/** A shell and its files. */
export interface Shell {
  readonly bash: Bash;
  /** What a command of it prints, byte by byte. */
  readonly tap: OutputTap;
  readonly files: InMemoryFs | MountableFs;
  readonly outputBytes: number;
  readonly processOutputBytes: number;
  readonly variableBytes: number;
  /** Whether it is the beginning of a command. */
  isIncomplete(line: string): boolean;
  /** What changed since the last time. */
  takeChanges(): Promise<ImageChanges>;
}

/** The network of a shell. */
export interface Outside {
  readonly variables: Readonly<Record<string, string>>;
  readonly fetch: SecureFetch;
}

/** just-bash, loaded. */
export interface ShellModule {
  /** A shell over these files. */
  open(image: ImageChanges, layers: Layers | undefined, outside: Outside | undefined): Promise<Shell>;
  /** Makes what the next shell begins with, unless it is there. */
  prepare(): Promise<void>;
}

/** A shell as every sandbox has it before it has files of its own. */
interface EmptyShell {
  readonly bash: Bash;
  readonly tap: OutputTap;
  readonly files: InMemoryFs;
  /** Absent: it has no network. */
  readonly fetch: SecureFetch | undefined;
}

/** Imports just-bash. Throws {@link JustBashMissing}. */
export async function loadShell(data: WorkerData): Promise<ShellModule> {
  const justBash = await importJustBash().catch((cause: unknown) => {
    if (cause instanceof Error && "code" in cause && cause.code === "ERR_MODULE_NOT_FOUND")
      throw new JustBashMissing(cause.message);
    throw cause;
  });
  return new LoadedShell(justBash, data);
}

/** What is at each path, of all layers together. */
type Entries = ReadonlyMap<string, ImageEntry>;

/** More than what every shell has there holds. */
const OWN_BYTES = 64 * 1024;

class LoadedShell implements ShellModule {
  readonly #justBash: typeof import("just-bash");
  readonly #data: WorkerData;
  /** Of the last one: sandboxes that share a worker have the same way out. */
  #fetch: SecureFetch | undefined;
  #next: EmptyShell | undefined;

  constructor(justBash: typeof import("just-bash"), data: WorkerData) {
    this.#justBash = justBash;
    this.#data = data;
  }

  async prepare(): Promise<void> {
    this.#next ??= await this.#empty(this.#data.fileBytes);
  }

  async open(image: ImageChanges, layers: Layers | undefined, outside: Outside | undefined): Promise<Shell> {
    const lower = layers?.lower ?? [];
    const all: Entries = new Map([...lower, ...image]);
    this.#fetch = outside?.fetch;
    const { bash, tap, files } = await this.#take(bytesOf(all));
    giveVariables(bash, outside?.variables ?? {});
    const given = new Set(files.getAllPaths());
    for (const [path] of lower) addGiven(path, given);
    if (all.size > 0) await lay(files, all);
    const { hosts = [] } = layers ?? {};
    for (const { path } of hosts) await makeAbove(files, path);
    keepModes(files);
    workAsDevices(files);
    followLinks(files);
    const watch = new FileWatch(files, given);
    const { outputBytes, processOutputBytes, variableBytes } = this.#data;
    const isLineIncomplete = (line: string) => isIncomplete(this.#justBash.parse, line);
    const rest = {
      tap,
      isIncomplete: isLineIncomplete,
      outputBytes,
      processOutputBytes,
      variableBytes,
      takeChanges: () => watch.take(),
    };
    if (hosts.length === 0) return { bash, files, ...rest };
    const mounts = hosts.map((host) => this.#mountOf(host));
    const mounted = new this.#justBash.MountableFs({ base: files, mounts });
    Reflect.set(bash, "fs", mounted);
    return { bash, files: mounted, ...rest };
  }

  /** For files of so many bytes. When they are too many already, they can be looked at and removed. */
  async #take(bytes: number): Promise<EmptyShell> {
    const next = this.#next;
    const { fileBytes } = this.#data;
    if (bytes > fileBytes - OWN_BYTES) return await this.#empty(Math.max(fileBytes, bytes + OWN_BYTES));
    this.#next = undefined;
    return next !== undefined && next.fetch === this.#fetch ? next : await this.#empty(fileBytes);
  }

  async #empty(maxTotalBytes: number): Promise<EmptyShell> {
    const fetch = this.#fetch;
    const { Bash, InMemoryFs } = this.#justBash;
    const files = new InMemoryFs({}, { maxTotalBytes });
    // It puts what every shell has there.
    const tap = new OutputTap();
    const bash = new Bash({ ...optionsOf(this.#data, fetch, tap), fs: files });
    placeDevices(files);
    correctCommands(bash);
    await files.mkdir(HOME, { recursive: true });
    await files.mkdir("/tmp", { recursive: true });
    return { bash, tap, files, fetch };
  }

  #mountOf({ path, hostPath }: Layers["hosts"][number]) {
    return {
      mountPoint: path,
      // It looks at no link that leads out of its root.
      filesystem: saysPlaces(
        path,
        new this.#justBash.OverlayFs({
          root: hostPath,
          mountPoint: "/",
          readOnly: true,
          maxFileReadSize: this.#data.fileBytes,
        }),
      ),
    };
  }
}

function correctCommands(bash: Bash): void {
  correctBash(bash);
  correctLinkCommands(bash);
  correctLn(bash);
  correctFind(bash);
  correctLs(bash);
  correctStat(bash);
  correctGrep(bash);
  correctEnv(bash);
  correctRefusedCommands(bash);
  correctSed(bash);
  correctWords(bash);
  correctStreams(bash);
}

function optionsOf({ scriptMs }: WorkerData, fetch: SecureFetch | undefined, tap: OutputTap): BashOptions {
  return {
    cwd: HOME,
    env: { HOME, USER: "user" },
    ...(fetch === undefined ? {} : { fetch }),
    customCommands: [tap.command],
    // `js-exec`: QuickJS, as WebAssembly, in a thread of its own that ends with this one.
    javascript: true,
    executionLimits: { ...unbounded, maxCallDepth: CALL_DEPTH, maxJsTimeoutMs: scriptMs },
  };
}

/** Puts files into an empty sandbox, parents first. Of what is there goes what they replace, whatever it is. */
async function lay(files: InMemoryFs, all: Entries): Promise<void> {
  // What is below a path comes before it.
  for (const path of files.getAllPaths().reverse()) {
    const entry = all.get(path);
    const { isDirectory } = await files.lstat(path);
    const stays =
      (entry === undefined || (isDirectory && entry.type === "directory")) && !isHidden(path, all);
    if (!stays) await files.rm(path, { recursive: true });
  }
  for (const [path, entry] of all) if (!isHidden(path, all)) await put(files, path, entry);
}

async function put(files: InMemoryFs, path: string, entry: ImageEntry): Promise<void> {
  if (entry.type === "symlink") await files.symlink(entry.target, path);
  else if (entry.type === "directory") {
    files.mkdirSync(path, { recursive: true });
    await files.chmod(path, entry.mode);
  } else if (entry.type === "file") {
    const { content, mode, modifiedAt } = entry;
    files.writeFileSync(path, content, undefined, { mode, mtime: new Date(modifiedAt) });
  }
}

/** The directories above a mount, as far as nothing else is in their place. */
async function makeAbove(files: InMemoryFs, mount: string): Promise<void> {
  const above = parentOf(mount);
  if (above !== "" && !(await files.exists(above))) files.mkdirSync(above, { recursive: true });
}

/** Above it is something else than a directory. */
function isHidden(path: string, all: Entries): boolean {
  for (let above = parentOf(path); above !== ""; above = parentOf(above))
    if ((all.get(above)?.type ?? "directory") !== "directory") return true;
  return false;
}

/** A path, and the directories above it. */
function addGiven(path: string, given: Set<string>): void {
  for (let at = path; at !== "" && !given.has(at); at = parentOf(at)) given.add(at);
}

function bytesOf(all: Entries): number {
  let bytes = 0;
  for (const entry of all.values()) if (entry.type === "file") bytes += entry.content.byteLength;
  return bytes;
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/"));
}
