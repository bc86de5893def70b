/** A proxy under test, on a core of its own. */
import type { ChildProcess } from "node:child_process";
import { next, start } from "../processes.ts";
import type { ProxyMemory, ProxyReady } from "./protocol.ts";

/** Which one. */
export type ProxyName = "floor" | "troupe";

/** One that runs. */
export class BenchProxy implements AsyncDisposable {
  readonly url: string;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, url: string) {
    this.#child = child;
    this.url = url;
  }

  /** `flags` are Node's. */
  static async start(name: ProxyName, provider: string, flags: readonly string[] = []): Promise<BenchProxy> {
    const child = start(0, "proxy/process.ts", [name, provider], flags);
    const { url } = await next<ProxyReady>(child);
    return new BenchProxy(child, url);
  }

  /** CPU time since it was last asked, microseconds. Without a collection: V8 forgets its code for what lives in no request just then. */
  async cpuUs(): Promise<number> {
    const answer = next<number>(this.#child);
    this.#child.send("cpu");
    return await answer;
  }

  /** Behind a collection. */
  async settledMemory(): Promise<ProxyMemory> {
    const answer = next<ProxyMemory>(this.#child);
    this.#child.send("settled");
    return await answer;
  }

  /** Resident, as it is. */
  async memoryBytes(): Promise<number> {
    const answer = next<number>(this.#child);
    this.#child.send("memory");
    return await answer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const gone = new Promise((resolve) => this.#child.once("exit", resolve));
    this.#child.send("end");
    await gone;
  }
}
