/** Runs a program and keeps what it prints. */
import { spawn } from "node:child_process";

export interface CommandResult {
  /** -1 when it could not be started or was ended by a signal. */
  readonly status: number;
  /** Standard output and error, as they came. */
  readonly output: string;
}

export interface CommandOptions {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Also show what it prints, while it runs. Default: false. */
  readonly show?: boolean;
  /** Default: ten minutes. */
  readonly timeoutMs?: number;
}

export function command(
  program: string,
  args: readonly string[],
  options: CommandOptions,
): Promise<CommandResult> {
  return new Promise((resolve) => {
    const running = spawn(program, args, {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      stdio: ["ignore", "pipe", "pipe"],
      timeout: options.timeoutMs ?? 600_000,
    });
    let output = "";
    const keep = (chunk: string) => {
      output += chunk;
      if (options.show === true) process.stdout.write(chunk);
    };
    running.stdout.setEncoding("utf8").on("data", keep);
    running.stderr.setEncoding("utf8").on("data", keep);
    running.on("error", (error) => resolve({ status: -1, output: `${output}${error.message}\n` }));
    running.on("close", (status) => resolve({ status: status ?? -1, output }));
  });
}
