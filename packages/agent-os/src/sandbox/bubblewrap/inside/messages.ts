/** What the runtime and the supervisor of a sandbox say to each other, beside what channels do. */

/** A path of an image, without its content: that is the frame's body. */
export type EntryHead =
  | { readonly type: "file"; readonly mode: number; readonly modifiedAt: number }
  | { readonly type: "directory"; readonly mode: number; readonly modifiedAt: number }
  | { readonly type: "symlink"; readonly target: string }
  | { readonly type: "removed"; readonly given: boolean };

/** Something to do with files or processes, of which the runtime hears how it went. */
export type Question =
  | { readonly kind: "processes" }
  | { readonly kind: "signal"; readonly process: number; readonly signal: string }
  | { readonly kind: "readFile" | "stat" | "exists" | "readdir"; readonly path: string }
  /** With the content as its body. */
  | { readonly kind: "writeFile"; readonly path: string }
  | { readonly kind: "mkdir" | "remove"; readonly path: string; readonly recursive: boolean }
  | { readonly kind: "move"; readonly path: string; readonly to: string }
  /** One path of the image that the sandbox begins with, content as the body. */
  | { readonly kind: "put"; readonly path: string; readonly entry: EntryHead }
  /** All of it is there: an empty sandbox ("given"), or what is stored ("kept"). What changes from now on is a change. */
  | { readonly kind: "settle"; readonly as: "given" | "kept" }
  /** What changed since the last "kept"; each path comes as a `change` before the answer, which is what can't be stored. */
  | { readonly kind: "changes" }
  /** The last `changes` are stored. */
  | { readonly kind: "kept" }
  /** The directories above what the last `changes` found that are as an empty sandbox has them, each as a `change`. */
  | { readonly kind: "above" }
  /** Why the last `changes` didn't have what is at this path. */
  | { readonly kind: "unsaved"; readonly path: string }
  /** All that differs from an empty sandbox, as `changes` has it. */
  | { readonly kind: "snapshot" };

/** A process to start. Its stdin and stdout are one channel, its stderr another. */
export interface StartProcess {
  readonly type: "start";
  readonly process: number;
  readonly errors: number;
  readonly command: string;
  readonly args: readonly string[];
  /** A relative one begins at home. Without one: at home, if that is there. */
  readonly cwd?: string | undefined;
  readonly env: Readonly<Record<string, string>>;
  /** False: it has no stdin. */
  readonly stdin: boolean;
  /** It runs in a terminal of this size. */
  readonly terminal?: TerminalSize | undefined;
}

/** The size of a terminal, in characters. */
export interface TerminalSize {
  readonly cols: number;
  readonly rows: number;
}

/** To the supervisor. */
export type ToSupervisor =
  | OpenNetwork
  | { readonly type: "ask"; readonly id: number; readonly question: Question }
  | StartProcess
  | ({ readonly type: "resize"; readonly process: number } & TerminalSize)
  /** Opens this channel to a port of the sandbox. */
  | { readonly type: "connect"; readonly stream: number; readonly port: number }
  | {
      readonly type: "fetched";
      readonly id: number;
      readonly status: number;
      readonly statusText: string;
      readonly headers: Readonly<Record<string, string>>;
    }
  | { readonly type: "refused"; readonly id: number; readonly why: string }
  /** A tunnel is there: the channel of the same number. */
  | { readonly type: "opened"; readonly id: number }
  /** There is no need of a tunnel: what is said in it are requests for http. */
  | { readonly type: "plain"; readonly id: number };

/** There is a way out from now on: a proxy at that port, and variables by which every process finds it. */
export interface OpenNetwork {
  readonly type: "network";
  readonly port: number;
  /** Origins of http that have the names of the sandbox itself: a port of its own leads to each. */
  readonly local: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** Limits that the supervisor watches. `tasks`: processes and threads, which the kernel bounds. */
export type WatchedLimit = "memoryBytes" | "fileBytes" | "files" | "cpuSeconds" | "tasks";

/** A failure, and the system's name of it. */
export interface SystemFailure {
  readonly code: string;
  readonly message: string;
}

/** A path that can't be stored, and why. What isn't UTF-8 in it is shown as U+FFFD. */
export interface UnsavedPath {
  readonly path: string;
  readonly code: "EILSEQ" | "ENAMETOOLONG" | "EDQUOT";
}

/** From the supervisor. */
export type FromSupervisor =
  | { readonly type: "ready" }
  | { readonly type: "change"; readonly id: number; readonly path: string; readonly entry: EntryHead }
  | {
      readonly type: "answer";
      readonly id: number;
      readonly result?: unknown;
      readonly failure?: SystemFailure;
    }
  | {
      readonly type: "exit";
      readonly process: number;
      readonly exitCode: number;
      readonly signal: string | null;
      /** The limit that ended it. */
      readonly limit?: WatchedLimit;
      /** Why it never began. */
      readonly failure?: SystemFailure;
    }
  | {
      readonly type: "fetch";
      readonly id: number;
      readonly url: string;
      readonly method: string;
      readonly headers: Readonly<Record<string, string>>;
    }
  | { readonly type: "tunnel"; readonly id: number; readonly host: string; readonly port: number }
  | { readonly type: "use"; readonly limit: WatchedLimit; readonly used: number };

/** What a supervisor is started with, as JSON in its argument. */
export interface SupervisorData {
  readonly fileBytes: number;
  readonly files: number;
  readonly memoryBytes: number;
  readonly cpuSeconds?: number | undefined;
  readonly messageBytes: number;
  readonly bodyBytes: number;
  /** Of what can't be stored so many paths are named. */
  readonly unsavedPaths: number;
  /** Variables of every process. */
  readonly env: Readonly<Record<string, string>>;
}
