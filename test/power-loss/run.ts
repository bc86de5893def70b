/** The power-loss test by hand: more cuts, one line each. */
import { commandLine, numberOf } from "../../tools/command-line.ts";
import { CutGround } from "./cuts.ts";
import { runRounds, TROUPE_SERVER } from "./harness.ts";
import { Random, seedOfThisRun } from "./random.ts";
import type { CutKind } from "./shim.ts";

const USAGE =
  "node test/power-loss/run.ts [--cuts 200] [--seed 7] [--kinds cut,kept,torn] [--nosync] [--server other-server.mjs]";
const { values } = commandLine(USAGE, {
  options: {
    cuts: { type: "string", default: "200" },
    seed: { type: "string" },
    kinds: { type: "string", default: "cut,kept,torn" },
    nosync: { type: "boolean", default: false },
    server: { type: "string" },
  },
});

const seed = values.seed === undefined ? seedOfThisRun() : numberOf("--seed", values.seed, USAGE, 0);
using ground = new CutGround(values.kinds.split(",") as CutKind[], {
  syncDelayUs: 1000,
  noSync: values.nosync,
});
const report = await runRounds({
  ground,
  cuts: numberOf("--cuts", values.cuts, USAGE),
  random: new Random(seed),
  server: values.server === undefined ? TROUPE_SERVER : [values.server],
  onRound: (round, ledger) => console.log(`cut ${round}: ${ledger.acknowledged} writes acknowledged`),
});
const { ledger, cutStarts, problems } = report;
console.log(
  `seed ${seed}: cuts ${JSON.stringify(ground.made)}, ${cutStarts} of them in a start; writes acknowledged ${ledger.acknowledged}, ` +
    `unknown ${ledger.unknown} (${ledger.appliedUnknown} applied), refused ${ledger.refused}; ` +
    `the shim saw ${ground.seen.writes} writes and ${ground.seen.syncs} syncs`,
);
for (const problem of problems) console.log(problem);
console.log(problems.length === 0 ? "nothing was lost" : `${problems.length} promises broken`);
process.exitCode = problems.length === 0 ? 0 : 1;
