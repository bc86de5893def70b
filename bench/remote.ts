/**
 * An engine and its hosts, each in a process. They aren't pinned, and share the cores with the load generator, as a program
 * with its actors embedded does, which is what they are compared with.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { next } from "./processes.ts";
import type { RemoteReady } from "./protocol.ts";

/** What hosts show to the engine. */
export const HOSTS_TOKEN = "bench";

const program = join(import.meta.dirname, "remote-program.ts");

/** One process of the remote program. */
export class RemotePart implements AsyncDisposable {
  readonly endpoint: string;
  readonly #child: ChildProcess;
  readonly #dataDir: string | undefined;

  private constructor(child: ChildProcess, endpoint: string, dataDir: string | undefined) {
    this.#child = child;
    this.endpoint = endpoint;
    this.#dataDir = dataDir;
  }

  /** What serves: a program with its actors, or an engine. */
  static async serve(part: "embedded" | "engine"): Promise<RemotePart> {
    const dataDir = mkdtempSync(join(tmpdir(), "troupe-bench-"));
    return await RemotePart.#start([part, dataDir], dataDir);
  }

  /** A host of an engine that serves there; settles when it is taken. */
  static host(endpoint: string): Promise<RemotePart> {
    return RemotePart.#start(["host", endpoint], undefined);
  }

  static async #start(args: readonly string[], dataDir: string | undefined): Promise<RemotePart> {
    const child = spawn(process.execPath, ["--conditions=troupe-source", program, ...args], {
      stdio: ["ignore", "inherit", "inherit", "ipc"],
      env: { ...process.env, TROUPE_HOSTS_TOKEN: HOSTS_TOKEN },
    });
    const { endpoint } = await next<RemoteReady>(child);
    return new RemotePart(child, endpoint, dataDir);
  }

  get port(): number {
    return Number(new URL(this.endpoint).port);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Calls an action of the actor with this key. Rejects with what the engine answers in its place. */
  async act(actor: string, action: string, key: string): Promise<number> {
    const url = `${this.endpoint}/actor/${actor}/action/${action}?key=${key}&method=getOrCreate`;
    const headers = { "content-type": "application/json" };
    const answer = await fetch(url, { method: "POST", headers, body: '{"args":[1]}' });
    const text = await answer.text();
    if (!answer.ok) throw new Error(text);
    const { output = 0 }: { readonly output?: number } = JSON.parse(text);
    return output;
  }

  /** Settles when it has ended; its exit code, or -1 for a signal. */
  ended(signal: NodeJS.Signals): Promise<number> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return Promise.resolve(-1);
    return new Promise((resolve) => {
      this.#child.once("exit", (code) => resolve(code ?? -1));
      this.#child.kill(signal);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.ended("SIGKILL");
    if (this.#dataDir !== undefined) rmSync(this.#dataDir, { recursive: true, force: true });
  }
}
