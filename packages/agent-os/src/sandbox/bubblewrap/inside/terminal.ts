/** A program of the sandbox in a terminal of its own: a real one, of the kernel. */
import { createRequire } from "node:module";
import type * as NodePty from "@lydell/node-pty";
import type { TerminalSize, WatchedLimit } from "./messages.ts";
import {
  nameOf,
  type ProcessChannels,
  type ProcessExit,
  type ProcessStart,
  type RunningProcess,
  signalGroup,
  signalProcess,
} from "./process.ts";

/** Starts a program. What opens terminals must be installed; else it fails as a program that isn't there. */
export function startInTerminal(
  start: ProcessStart,
  size: TerminalSize,
  { main, errors }: ProcessChannels,
  onExit: (exit: ProcessExit) => void,
): RunningProcess {
  errors.resume();
  errors.end();
  let terminal: NodePty.IPty;
  try {
    const { spawn }: typeof NodePty = createRequire(import.meta.url)("@lydell/node-pty");
    const { command, args, cwd, env } = start;
    const options = {
      ...size,
      cwd,
      env: { TERM: "xterm-256color", ...env },
      name: "xterm-256color",
      encoding: null,
    };
    terminal = spawn(command, [...args], options);
  } catch (cause) {
    main.end(`${cause instanceof Error ? cause.message : String(cause)}\r\n`);
    onExit({ exitCode: 126, signal: null });
    return { pid: undefined, signal: () => undefined, resize: () => undefined, exceed: () => undefined };
  }
  let limit: WatchedLimit | undefined;
  let over = false;
  // A program that has only just been forked doesn't lead a group yet: it gets the signal by itself.
  const signalled = (name: string): void => {
    if (!over && !signalGroup(terminal.pid, name)) signalProcess(terminal.pid, name);
  };
  // Bytes: without an encoding it gives what it reads as it is.
  terminal.onData((data: string | Uint8Array) => {
    if (main.destroyed || main.write(data)) return;
    terminal.pause();
    main.once("drain", () => terminal.resume());
  });
  main.setEncoding("utf8").on("data", (data: string) => terminal.write(data));
  // Nobody types any more: as when a window is closed.
  main.on("end", () => signalled("SIGHUP"));
  terminal.onExit(({ exitCode, signal = 0 }) => {
    over = true;
    signalGroup(terminal.pid, "SIGKILL");
    main.end();
    const exit = { exitCode: signal > 0 ? 128 + signal : exitCode, signal: nameOf(signal) };
    onExit({ ...exit, ...(limit === undefined ? {} : { limit }) });
  });
  return {
    pid: terminal.pid,
    signal: signalled,
    resize: ({ cols, rows }) => terminal.resize(cols, rows),
    exceed: (exceeded) => {
      limit ??= exceeded;
      signalled("SIGKILL");
    },
  };
}
