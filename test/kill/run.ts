/**
 * The kill test by hand: `node test/kill/run.ts --kills 1000 --seed 7 [--server other-server.mjs --http]`
 */
import { parseArgs } from "node:util";
import { TROUPE_SERVER } from "../power-loss/harness.ts";
import { Random, seedOfThisRun } from "../power-loss/random.ts";
import { runKills } from "./kills.ts";

const { values } = parseArgs({
  options: {
    kills: { type: "string", default: "1000" },
    seed: { type: "string" },
    server: { type: "string" },
    http: { type: "boolean", default: false },
  },
});

const seed = values.seed === undefined ? seedOfThisRun() : Number(values.seed);
const { ledger, cutStarts, problems } = await runKills({
  kills: Number(values.kills),
  clientKills: Math.floor(Number(values.kills) / 3),
  random: new Random(seed),
  server: values.server === undefined ? TROUPE_SERVER : [values.server],
  sockets: !values.http,
  onRound: (round, { acknowledged }) => console.log(`kill ${round}: ${acknowledged} writes acknowledged`),
});
console.log(
  `seed ${seed}: ${values.kills} kills, ${cutStarts} of them in a start; writes acknowledged ${ledger.acknowledged}, ` +
    `unknown ${ledger.unknown} (${ledger.appliedUnknown} applied), refused ${ledger.refused}`,
);
for (const problem of problems) console.log(problem);
console.log(
  problems.length === 0 ? "nothing was lost, nothing applied twice" : `${problems.length} promises broken`,
);
process.exitCode = problems.length === 0 ? 0 : 1;
