/** A Node process of a story: `troupe`, or a program of the user's. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { troupeBundle } from "../../../../tools/setup/troupe-bundle.ts";

/** A program that `troupe start` runs imports the same sources. */
const bin = fileURLToPath(new URL("../../src/bin.ts", import.meta.url));

/** One process, and what it has said so far. */
export class Started implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #closed: Promise<unknown[]>;
  #out = "";

  private constructor(file: string, args: readonly string[], env: Readonly<Record<string, string>>) {
    this.#child = spawn(process.execPath, ["--conditions=troupe-source", file, ...args], {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, ...env },
    });
    this.#closed = once(this.#child, "close");
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream?.setEncoding("utf8").on("data", (text: string) => {
        this.#out += text;
      });
  }

  static troupe(args: readonly string[], env: Readonly<Record<string, string>> = {}): Started {
    return new Started(args[0] === "start" ? bin : troupeBundle, args, env);
  }

  static program(file: string, env: Readonly<Record<string, string>> = {}): Started {
    return new Started(file, [], env);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get out(): string {
    return this.#out;
  }

  /** Settles when it has said something that fits, or has ended; what it said so far. */
  async said(pattern: RegExp): Promise<string> {
    while (!pattern.test(this.#out) && this.#child.exitCode === null)
      await Promise.race([
        once(this.#child.stdout ?? this.#child, "data"),
        once(this.#child.stderr ?? this.#child, "data"),
        this.#closed,
      ]);
    return this.#out;
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Settles when it has ended; with a signal it is asked to. */
  async ended(signal?: "SIGTERM" | "SIGKILL"): Promise<{ code: number | null; out: string }> {
    if (signal !== undefined) this.#child.kill(signal);
    await this.#closed;
    return { code: this.#child.exitCode, out: this.#out };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) await this.ended("SIGKILL");
  }
}
