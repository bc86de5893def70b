/** Damaged frames for the C SDK, under sanitizers. */
import { spawnSync } from "node:child_process";
import { sanitized } from "../packages/plugins/test/support/built.ts";
import { commandLine, numberOf } from "./command-line.ts";

/** Plugins of one seed: few enough that what failed is repeated in a second. */
const BATCH = 500;
const BATCH_TIMEOUT_MS = 120_000;

const USAGE = `npm run fuzz:native -- --runs 20000            opens so many plugins, each with frames of its own
npm run fuzz:native -- --seed 17 --runs 500    repeats what failed
npm run fuzz:native -- --sanitizers thread     looks for races instead`;

const { values } = commandLine(USAGE, {
  options: {
    runs: { type: "string", default: "20000" },
    seed: { type: "string" },
    sanitizers: { type: "string", default: "address,undefined" },
  },
});

process.exitCode = await run();

async function run(): Promise<number> {
  const built = await sanitized("fuzz", values.sanitizers);
  if (built.missing !== undefined) {
    console.log(`fuzz:native: ${built.missing}`);
    return 1;
  }
  const first =
    values.seed === undefined
      ? Math.floor(Math.random() * 2 ** 32)
      : numberOf("--seed", values.seed, USAGE, 0);
  const runs = numberOf("--runs", values.runs, USAGE);
  const totals = { taken: 0, broken: 0, full: 0 };
  for (let done = 0; done < runs; done += BATCH) {
    const seed = first + done / BATCH;
    const batch = Math.min(BATCH, runs - done);
    const { status, signal, stdout, stderr } = spawnSync(built.path, [`${seed}`, `${batch}`], {
      encoding: "utf8",
      timeout: BATCH_TIMEOUT_MS,
    });
    if (status !== 0 || stderr !== "") {
      console.log(`${stderr}\n${stdout}ended with ${signal ?? status}`);
      console.log(
        `repeat: npm run fuzz:native -- --sanitizers ${values.sanitizers} --seed ${seed} --runs ${batch}`,
      );
      return 1;
    }
    count(totals, stdout);
  }
  console.log(
    `${runs} plugins from seed ${first}: ${totals.taken} pushes taken, ${totals.full} found no room, ${totals.broken} plugins were broken by what they heard; nothing else`,
  );
  return 0;
}

function count(totals: Record<"taken" | "broken" | "full", number>, said: string): void {
  const found = /taken (\d+) broken (\d+) full (\d+)/.exec(said);
  totals.taken += Number(found?.[1]);
  totals.broken += Number(found?.[2]);
  totals.full += Number(found?.[3]);
}
