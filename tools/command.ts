/** Runs a program and keeps what it prints. */
import { type ChildProcess, spawn } from "node:child_process";

export interface CommandResult {
  /** -1 when it could not be started or was ended by a signal. */
  readonly status: number;
  /** Standard output and error, as they came. */
  readonly output: string;
  /** True when it was ended because its time was up. */
  readonly timedOut: boolean;
}

export interface CommandOptions {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Also show what it prints to standard output, while it runs. Default: false. */
  readonly show?: boolean;
  /** Then it and all that it started are killed. Default: ten minutes. */
  readonly timeoutMs?: number;
}

export function command(
  program: string,
  args: readonly string[],
  options: CommandOptions,
): Promise<CommandResult> {
  return new Promise((resolve) => {
    // A group of its own, so that what it started ends with it: a test that spins never hears SIGTERM.
    const running = spawn(program, args, {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });
    let output = "";
    let timedOut = false;
    const release = killWith(running, options.timeoutMs ?? 600_000, () => {
      timedOut = true;
    });
    const keep = (chunk: string) => {
      output += chunk;
    };
    running.stdout.setEncoding("utf8").on("data", keep);
    if (options.show === true) running.stdout.on("data", (chunk) => process.stdout.write(chunk));
    running.stderr.setEncoding("utf8").on("data", keep);
    const end = (status: number, more = "") => {
      release();
      resolve({ status, output: output + more, timedOut });
    };
    running.on("error", (error) => end(-1, `${error.message}\n`));
    running.on("close", (status) => end(status ?? -1));
  });
}

/** Kills the group of `running` after a while, or when this process is told to stop. Gives the undoing of both. */
function killWith(running: ChildProcess, timeoutMs: number, onTimeout: () => void): () => void {
  const kill = () => {
    if (running.pid === undefined) return;
    try {
      process.kill(-running.pid, "SIGKILL");
    } catch {
      // The whole group has ended already.
    }
  };
  const timer = setTimeout(() => {
    onTimeout();
    kill();
  }, timeoutMs);
  const stop = () => {
    kill();
    process.exit(130);
  };
  process.once("SIGINT", stop).once("SIGTERM", stop);
  return () => {
    clearTimeout(timer);
    process.off("SIGINT", stop).off("SIGTERM", stop);
  };
}
