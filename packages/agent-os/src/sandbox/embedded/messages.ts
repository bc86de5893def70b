/** What the runtime and a worker say to each other. */

import type { NetworkRequest, NetworkResponse } from "@troupe/runtime/egress";
import type { ImageChanges } from "../file-store.ts";
import type { ProcessCommand } from "../process.ts";
import type { DirectoryEntry, ExecOptions, ExecResult, FileStat } from "../sandbox.ts";

/** One thing to do in a sandbox. */
export type Operation =
  | { readonly kind: "exec"; readonly command: string; readonly options: ExecOptions }
  | {
      readonly kind: "process";
      readonly command: Pick<ProcessCommand, "command" | "args" | "cwd" | "env">;
      readonly stdin: Uint8Array;
    }
  | ({ readonly kind: "line" } & ShellLine)
  | { readonly kind: "readFile"; readonly path: string }
  | { readonly kind: "writeFile"; readonly path: string; readonly content: Uint8Array }
  | { readonly kind: "stat"; readonly path: string }
  | { readonly kind: "exists"; readonly path: string }
  | { readonly kind: "readdir"; readonly path: string }
  | { readonly kind: "mkdir"; readonly path: string; readonly recursive: boolean }
  | { readonly kind: "move"; readonly path: string; readonly to: string }
  | { readonly kind: "remove"; readonly path: string; readonly recursive: boolean }
  /** Nothing but to have the files: a boot, which fails where a sandbox can't be. */
  | { readonly kind: "open" };

/** A line that was typed into a shell. */
export interface ShellLine {
  readonly line: string;
  /** The shell's variables, one of which is its directory: they come back. */
  readonly env: Readonly<Record<string, string>>;
  /** Of the line before. */
  readonly lastExitCode: number;
}

/** A process that has ended by itself. */
export interface ProcessResult {
  readonly exitCode: number;
  readonly stdout: Uint8Array;
  readonly stderr: Uint8Array;
  /** The shell's variables behind it, for a line of a shell. */
  readonly env?: Readonly<Record<string, string>>;
  /** Nothing has run: the line is the beginning of a command. */
  readonly incomplete?: true;
}

/** What each kind of operation results in. */
export interface OperationResults {
  readonly exec: ExecResult;
  readonly process: ProcessResult;
  readonly line: ProcessResult;
  readonly readFile: Uint8Array;
  readonly writeFile: undefined;
  readonly stat: FileStat;
  readonly exists: boolean;
  readonly readdir: DirectoryEntry[];
  readonly mkdir: undefined;
  readonly move: undefined;
  readonly remove: undefined;
  readonly open: undefined;
}

/** What a sandbox has beside its files. */
export interface Layers {
  /** What an empty one has. */
  readonly lower: ImageChanges;
  /** Directories of the host, to be read. */
  readonly hosts: readonly { readonly path: string; readonly hostPath: string }[];
}

/** Either way, before a request or an answer: the beginning of its paths, where they are many, so that they are read and written over many turns. */
export interface PathsPage {
  readonly page: ImageChanges;
}

/** To the worker. One at a time. */
export interface WorkerRequest {
  readonly sandbox: number;
  /** The files, when the worker doesn't have them in this version. */
  readonly image: ImageChanges | undefined;
  /** With the image. */
  readonly layers: Layers | undefined;
  readonly operation: Operation;
  /** Variables of its shells when it has a network; undefined: it has none. */
  readonly network: Readonly<Record<string, string>> | undefined;
}

/** From the worker, while it works: a request for the way out. */
export interface FetchQuestion {
  readonly fetch: number;
  readonly request: NetworkRequest;
}

/** To the worker: what became of it. */
export interface FetchAnswer {
  readonly fetched: number;
  readonly response?: NetworkResponse;
  readonly failure?: string;
}

/** How an operation failed in the worker. */
export interface WorkerFailure {
  readonly kind: "file" | "missing" | "other";
  /** The system's name of a failing file operation: ENOENT … */
  readonly code: string;
  readonly message: string;
}

/** From the worker. What failed may have changed files all the same. */
export interface WorkerAnswer {
  /** True when the worker has the sandbox's files. */
  readonly holds: boolean;
  readonly changes: ImageChanges;
  readonly result?: OperationResults[Operation["kind"]];
  readonly failure?: WorkerFailure;
  /** What it holds now beyond a worker that has no work. */
  readonly memoryBytes: number;
}

/** What a worker is started with. */
export interface WorkerData {
  readonly memoryBytes: number;
  readonly fileBytes: number;
  /** Of one command. */
  readonly outputBytes: number;
  /** Of one process or line, on each of its outputs: what is more isn't sent. */
  readonly processOutputBytes: number;
  /** Names and values of a shell's variables, which its next line gets. */
  readonly variableBytes: number;
  /** Of one page. */
  readonly turnPaths: number;
  /** How long a program in JavaScript may run. */
  readonly scriptMs: number;
}
