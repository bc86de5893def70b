/** A process under test: started, read line by line, killed. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

export interface ChildExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export class Child implements AsyncDisposable {
  readonly lines: string[] = [];
  readonly exited: Promise<ChildExit>;
  readonly #process: ChildProcess;
  readonly #closed: Promise<unknown>;
  #errors = "";
  #onLine: (() => void) | undefined;
  #ended = false;

  constructor(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    this.#process = spawn(process.execPath, args, {
      env: { ...process.env, NODE_OPTIONS: "", ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const { stdout, stderr } = this.#process;
    if (stdout === null || stderr === null) throw new Error("no pipes");
    createInterface({ input: stdout }).on("line", (line) => {
      this.lines.push(line);
      this.#onLine?.();
    });
    stderr.on("data", (bytes: Buffer) => {
      this.#errors = (this.#errors + bytes.toString()).slice(-20_000);
    });
    this.#closed = once(this.#process, "close");
    this.exited = once(this.#process, "exit").then(([code, signal]) => ({ code, signal }));
    void this.#closed.then(() => {
      this.#ended = true;
      this.#onLine?.();
    });
  }

  /** The rest of the first line that starts with `prefix`. Throws, with what the process said, when it ends before. */
  async line(prefix: string): Promise<string> {
    let seen = 0;
    for (;;) {
      for (; seen < this.lines.length; seen++) {
        const line = this.lines[seen];
        if (line?.startsWith(prefix) === true) return line.slice(prefix.length).trim();
      }
      if (this.#ended) throw new Error(`The process ended before it printed "${prefix}":\n${this.errors}`);
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#onLine = resolve;
      await promise;
    }
  }

  get hasExited(): boolean {
    return this.#process.exitCode !== null || this.#process.signalCode !== null;
  }

  get errors(): string {
    return this.#errors;
  }

  /** SIGKILL. Resolves when the process is gone and all that it had printed was read. */
  async kill(): Promise<void> {
    this.#process.kill("SIGKILL");
    await this.#closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }
}

/** The random moment of a cut; nothing is waited for by this. */
export function moment(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
