/** What the runtime's side and a sandbox thread say to each other. */

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
  /** A line that was typed into a shell: its variables, one of which is its directory, are given and come back. */
  | { readonly kind: "line"; readonly line: string; readonly env: Readonly<Record<string, string>> }
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

/** A process that has ended by itself. */
export interface ProcessResult {
  readonly exitCode: number;
  readonly stdout: Uint8Array;
  readonly stderr: Uint8Array;
  /** The shell's variables behind it, for a line of a shell. */
  readonly env?: Readonly<Record<string, string>>;
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

/** To the thread. One at a time. */
export interface ThreadRequest {
  readonly sandbox: number;
  /** The files, when the thread doesn't have them in this version. */
  readonly image: ImageChanges | undefined;
  /** With the image. */
  readonly layers: Layers | undefined;
  readonly operation: Operation;
  /** Variables of its shells when it has a network; undefined: it has none. */
  readonly network: Readonly<Record<string, string>> | undefined;
}

/** From the thread, while it works: a request for the way out. */
export interface FetchQuestion {
  readonly fetch: number;
  readonly request: NetworkRequest;
}

/** To the thread: what became of it. */
export interface FetchAnswer {
  readonly fetched: number;
  readonly response?: NetworkResponse;
  readonly failure?: string;
}

/** How an operation failed in the thread. */
export interface ThreadFailure {
  readonly kind: "file" | "missing" | "other";
  /** The system's name of a failing file operation: ENOENT … */
  readonly code: string;
  readonly message: string;
}

/** From the thread. What failed may have changed files all the same. */
export interface ThreadAnswer {
  /** True when the thread has the sandbox's files. */
  readonly holds: boolean;
  readonly changes: ImageChanges;
  readonly result?: OperationResults[Operation["kind"]];
  readonly failure?: ThreadFailure;
}

/** From the thread, while others work for it: what they have taken of the processor since it began. */
export interface InnerTime {
  readonly innerSeconds: number;
}

/** From the thread, first of all, where threads have a priority of their own. */
export interface ThreadIdentity {
  readonly kernelThread: number;
}

/** What a thread is started with. */
export interface ThreadData {
  readonly fileBytes: number;
  readonly outputBytes: number;
  /** How long a program in JavaScript may run. */
  readonly scriptMs: number;
  /** Whether it tells what the threads that it starts take of the processor. */
  readonly tellsInnerTime: boolean;
}
