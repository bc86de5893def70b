/**
 * What a step of a workflow costs over the commit that it ends in.
 */
import type { Figure, Line } from "../line.ts";
import { BenchServer } from "../processes.ts";
import { median } from "../statistics.ts";

/** Steps of one workflow, and commits of one action: measured in the server, without a network. */
const STEPS = 400;

async function ask(server: BenchServer, action: string, key: string): Promise<number> {
  const answer = await fetch(`http://127.0.0.1:${server.port}/actor/walker/action/${action}?key=${key}`, {
    method: "POST",
    body: JSON.stringify({ args: [STEPS] }),
  });
  const { output } = (await answer.json()) as { output: number };
  return output / STEPS;
}

async function stepOverCommit(rounds: number): Promise<Figure> {
  const over: number[] = [];
  const cpu: number[] = [];
  const floorCpu: number[] = [];
  const details: string[] = [];
  await using server = await BenchServer.start("troupe");
  await ask(server, "commits", "warm");
  await ask(server, "steps", "warm");
  for (let round = 0; round < rounds; round += 1) {
    await server.usage();
    const commit = await ask(server, "commits", `c${round}`);
    floorCpu.push((await server.usage()).cpuUs / STEPS);
    const step = await ask(server, "steps", `s${round}`);
    cpu.push((await server.usage()).cpuUs / STEPS);
    over.push(step - commit);
    details.push(`${step.toFixed(3)} against ${commit.toFixed(3)}`);
  }
  return {
    value: median(over),
    cpuUs: median(cpu),
    floorCpuUs: median(floorCpu),
    detail: `ms: ${details[details.length >> 1] ?? ""}`,
  };
}

/** Lines about workflows. */
export const workflowLines: readonly Line[] = [
  {
    name: "workflow-step",
    work: "a step of a workflow, over one commit of the same state",
    unit: "ms",
    target: 0.3,
    better: "less",
    peers: "not measured",
    measure: stepOverCommit,
  },
];
