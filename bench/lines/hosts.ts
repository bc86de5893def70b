/**
 * A program in several processes of one machine: `troupe start --hosts n`. The processes aren't pinned, and share the cores
 * with the load generator: on two cores a ratio of 2 can't be reached.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import type { Line } from "../line.ts";
import { BenchLoad } from "../processes.ts";
import { median } from "../statistics.ts";

const bin = join(import.meta.dirname, "../../packages/cli/src/bin.ts");
const program = join(import.meta.dirname, "../hosts-program.ts");

/** A program with its hosts. */
class Hosts implements AsyncDisposable {
  readonly port: number;
  readonly #child: ChildProcess;
  readonly #dataDir: string;

  private constructor(child: ChildProcess, dataDir: string, port: number) {
    this.#child = child;
    this.#dataDir = dataDir;
    this.port = port;
  }

  static async start(count: number): Promise<Hosts> {
    const dataDir = mkdtempSync(join(tmpdir(), "troupe-bench-"));
    const args = ["start", program, "--port", "0", "--data", dataDir, "--hosts", String(count)];
    const child = spawn(process.execPath, ["--conditions=troupe-source", bin, ...args], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    let out = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      out += text;
    });
    while (!/ hosts: .*\n/.test(out)) await once(child.stdout, "data");
    return new Hosts(child, dataDir, Number(/http:\/\/127\.0\.0\.1:(\d+)/.exec(out)?.[1]));
  }

  async pid(key: string): Promise<number> {
    const url = `http://127.0.0.1:${this.port}/actor/counter/action/pid?key=${key}`;
    const answer = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: "{}",
    });
    const { output = 0 }: { output?: number } = JSON.parse(await answer.text());
    return output;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const gone = once(this.#child, "exit");
    this.#child.kill("SIGTERM");
    await gone;
    rmSync(this.#dataDir, { recursive: true, force: true });
  }
}

async function rate(load: BenchLoad, count: number): Promise<number> {
  await using hosts = await Hosts.start(count);
  const order = { kind: "http", port: hosts.port, keys: 64, callers: 32, mode: "add" } as const;
  await load.run({ ...order, durationMs: 800 });
  const { calls, seconds } = await load.run({ ...order, durationMs: 3_000 });
  return calls / seconds;
}

/** From the kill of a host to the answer of an actor that ran there. */
async function back(): Promise<number> {
  await using hosts = await Hosts.start(2);
  const victim = await hosts.pid("a");
  const since = performance.now();
  process.kill(victim, "SIGKILL");
  for (;;) {
    const now = await hosts.pid("a");
    if (now !== 0 && now !== victim) return performance.now() - since;
  }
}

/** How actors spread over processes, and how they come back. */
export const hostsLines: readonly Line[] = [
  {
    name: "hosts-2",
    work: `action with 1 ms of work, --hosts 2 against --hosts 1, load generator on the same ${availableParallelism()} cores`,
    unit: "ratio",
    target: 1.6,
    better: "greater",
    peers: "",
    measure: async (rounds) => {
      using load = new BenchLoad();
      const pairs: { readonly one: number; readonly two: number }[] = [];
      for (let round = 0; round < rounds; round += 1)
        pairs.push({ one: await rate(load, 1), two: await rate(load, 2) });
      const of = (figures: readonly number[]): string => `${Math.round(median(figures))}/s`;
      return {
        value: median(pairs.map(({ one, two }) => two / one)),
        detail: `${of(pairs.map(({ two }) => two))} against ${of(pairs.map(({ one }) => one))}`,
      };
    },
  },
  {
    name: "hosts-kill",
    work: "kill -9 of one of two hosts, until an actor of it answers again",
    unit: "ms",
    target: 1_000,
    better: "less",
    peers: "",
    measure: async (rounds) => {
      const times: number[] = [];
      for (let round = 0; round < rounds; round += 1) times.push(await back());
      return { value: median(times), detail: `${rounds} kills` };
    },
  },
];
