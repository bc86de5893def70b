/**
 * Sandbox: the port to a place where an agent may work. A driver boots sandboxes; a sandbox has files and runs
 * commands, and nobody outside sees its inside but through these methods.
 *
 * Paths are absolute, "/" between their parts. What an operation changed is seen whole by the next one. Of a command or process that was
 * cut off (deadline, cancel, a signal) a driver says what stays: of the embedded one nothing, of real processes what they had done.
 */

import type { Duplex } from "node:stream";
import type { FileStore, ImageChanges } from "./file-store.ts";
import type { Mount } from "./mounts.ts";
import type { SandboxNetwork } from "./network.ts";
import type { ProcessCommand, ProcessListener, SandboxProcess, SandboxProcessInfo } from "./process.ts";
import type { UnsavedPath } from "./unsaved.ts";

/** Boots sandboxes of one kind. */
export interface SandboxDriver {
  /** A name for people, as in "embedded". */
  readonly name: string;
  /** True: its processes read their stdin while it is written and print while they run, so that an agent can be one. */
  readonly hasRealProcesses?: boolean;
  /** False: nobody can listen in its sandboxes, so that there are no previews of them. Default: true. */
  readonly hasPorts?: boolean;
  /**
   * Makes ready what its next sandbox begins with, and goes on doing so until what it returns is called; that settles when nothing of
   * it is left. Called when a registry starts, with what all
   * of its sandboxes will have: it waits for nothing, and what fails here fails again when somebody boots.
   */
  keepWarm?(mounts?: readonly Mount[]): () => Promise<void>;
  /** A new sandbox. `signal` fires when nobody wants it any more. */
  boot(options: BootOptions): Promise<Sandbox>;
}

/** What a driver is told when it boots. */
export interface BootOptions {
  readonly signal: AbortSignal;
  /** Where the files outlive the sandbox; without it they end with it. */
  readonly files?: FileStore | undefined;
  /** What is at certain paths instead of the durable files. */
  readonly mounts?: readonly Mount[] | undefined;
  /** The one way out; without it there is none. */
  readonly network?: SandboxNetwork | undefined;
  /** Told now and then what the sandbox uses of limits of its own. */
  readonly onUse?: ((use: SandboxUse) => void) | undefined;
  /** Told when what the sandbox ran in was lost, with all that ran and wasn't saved; and when it is up again, for who needed it next. */
  readonly onState?: ((state: "lost" | "up") => void) | undefined;
  /** Told when other files than before can't be saved, of all of them; none: everything is saved again. */
  readonly onUnsaved?: ((unsaved: readonly UnsavedPath[]) => void) | undefined;
}

/**
 * What a sandbox uses of a limit. `tasks` are its processes and threads; `execMs` is the time of one command, told of when four fifths of it are
 * over, and not again.
 */
export interface SandboxUse {
  readonly limit: "memoryBytes" | "fileBytes" | "files" | "cpuSeconds" | "tasks" | "execMs";
  readonly used: number;
  readonly most: number;
}

/** A command, and how it may run. */
export interface ExecOptions {
  /** Default: "/home/user". */
  readonly cwd?: string;
  /** Added to the sandbox's own variables. */
  readonly env?: Readonly<Record<string, string>>;
  /** What the command reads on its stdin. Default: nothing. */
  readonly stdin?: string;
  /** The command is ended behind it. Default 60,000, at most 300,000. */
  readonly timeoutMs?: number;
}

/** How a command ended. */
export interface ExecResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  /** True when more was printed than is kept. */
  readonly truncated: boolean;
  /** What of the sandbox's files can't be saved, if there is any: the first hundred of it. It ends with the sandbox. */
  readonly unsaved?: readonly UnsavedPath[];
}

/** What is known of a file. */
export interface FileStat {
  readonly type: "file" | "directory" | "symlink";
  readonly size: number;
  readonly mode: number;
  /** Wall clock, milliseconds. */
  readonly modifiedAt: number;
}

/** An entry of a directory. */
export interface DirectoryEntry {
  readonly name: string;
  readonly type: FileStat["type"];
}

/** A sandbox. Methods reject with `sandbox.*`; files that aren't there are `sandbox.file_failed { code: "ENOENT" }`. */
export interface Sandbox {
  /** Runs a command line in a shell. A command that fails is a result, not an error. */
  exec(command: string, options?: ExecOptions, signal?: AbortSignal): Promise<ExecResult>;
  /** Starts a process. It runs beside everything else, until it ends or the sandbox does. */
  spawn(command: ProcessCommand, listener: ProcessListener): Promise<SandboxProcess>;
  /** All that run inside, also those that others have started. */
  processes(): Promise<SandboxProcessInfo[]>;
  readFile(path: string): Promise<Uint8Array>;
  /** Writes a file, and makes the directories above it. */
  writeFile(path: string, content: Uint8Array): Promise<void>;
  stat(path: string): Promise<FileStat>;
  exists(path: string): Promise<boolean>;
  readdir(path: string): Promise<DirectoryEntry[]>;
  mkdir(path: string, options?: { readonly recursive?: boolean }): Promise<void>;
  move(from: string, to: string): Promise<void>;
  remove(path: string, options?: { readonly recursive?: boolean }): Promise<void>;
  /** All files as they are between two operations, as the difference to an empty sandbox. Nothing is copied. */
  snapshot(): Promise<ImageChanges>;
  /** An empty sandbox with these files and no others, all or nothing. */
  restore(image: ImageChanges): Promise<void>;
  /**
   * Runs `work` when all that callers were told of is in the store, and saves nothing until it has settled. It is given the directories
   * above that which aren't in the store, since they are as an empty sandbox has them.
   */
  whileSaved<R>(work: (above: ImageChanges) => Promise<R>): Promise<R>;
  /** A connection to a port on which a process of the sandbox listens. Rejects where the driver has none. */
  connect(port: number): Promise<Duplex>;
  /** Told when its actor begins to stop: what is asked of it, also what was, has a few seconds from now on. */
  hurry?(): void;
  /** Ends it; what runs is cancelled. */
  shutdown(): Promise<void>;
}
