/** The simulator's command. */
import { commandLine, numberOf, refuse } from "../tools/command-line.ts";
import { campaign } from "./campaign.ts";
import { type CanaryName, canaries } from "./canary.ts";
import { type RunResult, simulate } from "./simulate.ts";

const known = Object.keys(canaries) as CanaryName[];
const USAGE = `npm run sim -- --seed 17 [--verbose]                     replays one seed
npm run sim -- --seeds 100000 [--from 1] [--minutes 10]  runs a campaign: 1000 seeds without --seeds
npm run sim -- --canary NAME --seeds 50                  shows that a built-in fault is caught

faults: ${known.join(", ")}`;

const { values } = commandLine(USAGE, {
  options: {
    seed: { type: "string" },
    seeds: { type: "string", default: "1000" },
    from: { type: "string", default: "1" },
    minutes: { type: "string" },
    canary: { type: "string" },
    verbose: { type: "boolean", default: false },
  },
});

const canary = canaryOf(values.canary);
process.exitCode =
  values.seed === undefined ? await runCampaign() : await replay(numberOf("--seed", values.seed, USAGE, 0));

async function replay(seed: number): Promise<number> {
  const print = values.verbose ? (line: string) => void process.stdout.write(`${line}\n`) : undefined;
  const result = await simulate({ seed, canary, print });
  process.stdout.write(`${JSON.stringify(result.options)}\n${summary(result)}\n`);
  return result.violation === undefined ? 0 : 1;
}

async function runCampaign(): Promise<number> {
  const started = performance.now();
  const result = await campaign({
    from: numberOf("--from", values.from, USAGE, 0),
    seeds: numberOf("--seeds", values.seeds, USAGE),
    minutes: values.minutes === undefined ? Infinity : numberOf("--minutes", values.minutes, USAGE, 0),
    canary,
    onProgress: (done) => {
      const seconds = (performance.now() - started) / 1_000;
      process.stdout.write(`${done} seeds, ${(done / seconds).toFixed(0)} a second\n`);
    },
    onFailure: (failed) => void process.stdout.write(`${summary(failed)}\n`),
  });
  const seconds = (performance.now() - started) / 1_000;
  process.stdout.write(`\n${result.counters.lines().join("\n")}\n\n`);
  const rate = `${(result.seeds / seconds).toFixed(0)} a second, ${(result.steps / result.seeds).toFixed(0)} steps each`;
  process.stdout.write(`${result.seeds} seeds, ${result.failures} failed; ${rate}\n`);
  for (const name of result.missing) process.stdout.write(`never happened: ${name}\n`);
  return result.failures === 0 && result.missing.length === 0 ? 0 : 1;
}

function summary({ seed, violation, hash, steps, virtualMs }: RunResult): string {
  const world = `${steps} steps, ${(virtualMs / 1_000).toFixed(1)} s of virtual time, hash ${hash}`;
  if (violation === undefined) return `seed ${seed}: nothing wrong; ${world}`;
  const command = `npm run sim -- --seed ${seed}${canary === undefined ? "" : ` --canary ${canary}`} --verbose`;
  return `seed ${seed}: VIOLATION of ${violation.checker}: ${violation.detail}\n  ${world}\n  replay: ${command}`;
}

function canaryOf(name: string | undefined): CanaryName | undefined {
  if (name === undefined) return undefined;
  return known.find((canary) => canary === name) ?? refuse(`There is no fault "${name}"`, USAGE);
}
