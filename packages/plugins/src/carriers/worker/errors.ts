/** Errors of worker processes. The last that a process said is with them. */
import { TroupeError } from "@troupe/base";
import { InnerError } from "../../inner-error.ts";

/** A process that ended: by its own code, or by a signal. */
export interface WorkerExit {
  readonly code: number | null;
  readonly signal: string | null;
}

/** Group `plugin`: the worker carrier's. `stderr` is the last that the process said. */
export const workerErrors = {
  noSocket: (plugin: string, socket: string, cause: unknown) =>
    new TroupeError(
      "plugin",
      "worker_no_socket",
      `Plugin ${plugin}: nobody can listen at ${socket} (${reasonOf(cause)}): a socket's path has room for about a hundred characters, so TMPDIR must name a folder with a short path`,
      { statusCode: 500, public: false, metadata: { plugin, socket }, cause },
    ),
  notStarted: (plugin: string, program: string, cause: unknown) =>
    new TroupeError(
      "plugin",
      "worker_not_started",
      `Plugin ${plugin}: ${program} can't be started: ${reasonOf(cause)}`,
      { statusCode: 502, public: false, metadata: { plugin, program }, cause },
    ),
  exited: (plugin: string, exit: WorkerExit, stderr: string) => {
    const message = `Plugin ${plugin}: its process ended ${ending(exit)}`;
    return withLastWords("worker_exited", { message, metadata: { plugin, ...exit } }, stderr);
  },
  /** It and what it started had too much of the machine, and were ended. */
  exceeded: (plugin: string, excess: { what: "processes" | "memory"; limit: number }, stderr: string) => {
    const much = `${excess.limit} ${excess.what === "memory" ? "bytes of memory" : "processes"}`;
    const message = `Plugin ${plugin}: its process and what that started had more than ${much}`;
    return withLastWords("worker_exceeded", { message, metadata: { plugin, ...excess } }, stderr);
  },
  connectTimeout: (plugin: string, timeoutMs: number, details: { refused: number; stderr: string }) => {
    const { refused, stderr } = details;
    const message = `Plugin ${plugin}: its process didn't connect in ${timeoutMs} ms${refusals(refused)}`;
    return withLastWords(
      "worker_connect_timeout",
      { message, metadata: { plugin, timeoutMs, refused } },
      stderr,
    );
  },
  notReady: (plugin: string, timeoutMs: number, stderr: string) => {
    const message = `Plugin ${plugin}: its process connected, and didn't say in ${timeoutMs} ms that it is ready`;
    return withLastWords("open_timed_out", { message, metadata: { plugin, timeoutMs } }, stderr, 504);
  },
  /** It was stopped, or loops, or waits for something in the middle of a step. */
  hung: (plugin: string, silentMs: number, stderr: string) => {
    const message = `Plugin ${plugin}: its process said nothing for ${silentMs} ms, and was ended`;
    return withLastWords("worker_hung", { message, metadata: { plugin, silentMs } }, stderr);
  },
  disconnected: (plugin: string, stderr: string) => {
    const message = `Plugin ${plugin}: its process closed the connection`;
    return withLastWords("worker_disconnected", { message, metadata: { plugin } }, stderr);
  },
  broken: (plugin: string, cause: unknown) =>
    new TroupeError(
      "plugin",
      "worker_broken",
      `Plugin ${plugin}: the connection to its process broke: ${reasonOf(cause)}`,
      { statusCode: 502, metadata: { plugin }, cause },
    ),
};

/** Of a process that ended, or has to. */
function withLastWords(
  code: string,
  { message, metadata }: { readonly message: string; readonly metadata: Readonly<Record<string, unknown>> },
  stderr: string,
  statusCode = 502,
): TroupeError {
  const told = new TroupeError("plugin", code, message, { statusCode, metadata });
  const words = stderr === "" ? "" : `. It said last:\n${stderr.trimEnd()}`;
  return new InnerError(told, { message: `${message}${words}`, metadata: { stderr } });
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

function ending({ code, signal }: WorkerExit): string {
  return signal === null ? `with code ${code}` : `by ${signal}`;
}

function refusals(count: number): string {
  return count === 0 ? "" : ` (${count === 1 ? "a connection was" : `${count} connections were`} refused)`;
}
