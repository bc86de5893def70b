/**
 * agent-os, as its users meet it: every figure is of calls over the loopback, commits included, with the embedded driver.
 */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Figure, Line } from "../line.ts";
import { median, quantile } from "../statistics.ts";

const run = promisify(execFile);

/** What is built, where it is: a sandbox of real processes would otherwise begin with making JavaScript of TypeScript. */
function conditions(): readonly string[] {
  const built = join(import.meta.dirname, "../../packages/agent-os/dist/index.js");
  return existsSync(built) ? [] : ["--conditions=troupe-source"];
}

async function printed(name: string): Promise<number[]> {
  const script = join(import.meta.dirname, "../agent-os.ts");
  const args = ["--expose-gc", ...conditions(), script, name];
  const { stdout } = await run(process.execPath, args, { timeout: 120_000 });
  // A process of its own, so that what one measurement warms up or leaves behind is not another's.
  return JSON.parse(stdout) as number[];
}

async function measured(name: string): Promise<number[]> {
  return (await printed(name)).sort((one, other) => one - other);
}

/** The median over the rounds of each round's median. */
function typical(name: string): (rounds: number) => Promise<Figure> {
  return async (rounds) => {
    const medians: number[] = [];
    let detail = "";
    for (let round = 0; round < rounds; round += 1) {
      const values = await measured(name);
      medians.push(quantile(values, 0.5));
      detail = `p50 of ${values.length}; p95 ${quantile(values, 0.95).toFixed(1)}, worst ${(values.at(-1) ?? 0).toFixed(1)}`;
    }
    return { value: median(medians), detail };
  };
}

const agentOS = "agentOS 0.2.21, measured here";

/** Lines about agent-os. */
export const agentOSLines: readonly Line[] = [
  {
    name: "agent-os-new",
    work: "a new workspace to the first output of its sandbox, warm worker, p50",
    unit: "ms",
    target: 8,
    better: "less",
    peers: `${agentOS}: 284 ms`,
    measure: typical("new"),
  },
  {
    name: "agent-os-echo",
    work: "`echo` in a sandbox that is there, p50",
    unit: "ms",
    target: 2,
    better: "less",
    peers: `${agentOS}: 65 ms`,
    measure: typical("echo"),
  },
  {
    name: "agent-os-cold",
    work: "the first sandbox of a process to its first output",
    unit: "ms",
    target: 60,
    better: "less",
    peers: `${agentOS}: 1.2 s`,
    measure: typical("cold"),
  },
  {
    name: "agent-os-process",
    work: "a new workspace of real processes to the first output of its sandbox, p50",
    unit: "ms",
    target: 60,
    better: "less",
    peers: `${agentOS}: 284 ms`,
    measure: typical("process"),
  },
  {
    name: "agent-os-memory",
    work: "memory of an idle workspace with its sandbox",
    unit: "bytes",
    target: 3 * 1024 * 1024,
    better: "less",
    peers: `${agentOS}: 3.4 MB`,
    measure: typical("memory"),
  },
  {
    name: "agent-os-crowd",
    work: "share of 200 sandboxes that boot when they are asked for at once",
    unit: "ratio",
    target: 1,
    better: "greater",
    peers: "agentOS: 38 % (its own load test)",
    measure: async () => {
      const [booted = 0] = await measured("crowd");
      return { value: booted / 200, detail: `${booted} of 200 new workspaces` };
    },
  },
  {
    name: "agent-os-loop",
    work: "another actor's p99 with its client, beside a shell that loops for ever, against without it",
    unit: "ratio",
    target: 2,
    better: "less",
    peers: "none known",
    measure: async (rounds) => {
      const looped: number[] = [];
      const begun: number[] = [];
      for (let round = 0; round < rounds; round += 1) {
        const [beneath = Number.NaN, atFirst = Number.NaN] = await printed("loop");
        looped.push(beneath);
        begun.push(atFirst);
      }
      const first = median(begun).toFixed(2);
      return {
        value: median(looped),
        detail: `pooled p99s of 12 turns each way; while it begins, until it is demoted: ${first}`,
      };
    },
  },
  {
    name: "agent-os-event",
    work: "an update on an agent's stdout to a subscriber, with its commit, p50",
    unit: "ms",
    target: 3,
    better: "less",
    peers: "none known",
    measure: typical("event"),
  },
  {
    name: "agent-os-replay",
    work: "10,000 events of a session, read from the beginning",
    unit: "ms",
    target: 150,
    better: "less",
    peers: "none known",
    measure: typical("replay"),
  },
];
