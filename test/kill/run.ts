/** The kill test by hand: more kills, one line each. */
import { commandLine, numberOf } from "../../tools/command-line.ts";
import { TROUPE_SERVER } from "../power-loss/harness.ts";
import { Random, seedOfThisRun } from "../power-loss/random.ts";
import { runKills } from "./kills.ts";

const USAGE = "node test/kill/run.ts [--kills 1000] [--seed 7] [--server other-server.mjs] [--http]";
const { values } = commandLine(USAGE, {
  options: {
    kills: { type: "string", default: "1000" },
    seed: { type: "string" },
    server: { type: "string" },
    http: { type: "boolean", default: false },
  },
});

const seed = values.seed === undefined ? seedOfThisRun() : numberOf("--seed", values.seed, USAGE, 0);
const kills = numberOf("--kills", values.kills, USAGE);
const { ledger, cutStarts, problems } = await runKills({
  kills,
  clientKills: Math.floor(kills / 3),
  random: new Random(seed),
  server: values.server === undefined ? TROUPE_SERVER : [values.server],
  sockets: !values.http,
  onRound: (round, { acknowledged }) => console.log(`kill ${round}: ${acknowledged} writes acknowledged`),
});
console.log(
  `seed ${seed}: ${kills} kills, ${cutStarts} of them in a start; writes acknowledged ${ledger.acknowledged}, ` +
    `unknown ${ledger.unknown} (${ledger.appliedUnknown} applied), refused ${ledger.refused}`,
);
for (const problem of problems) console.log(problem);
console.log(
  problems.length === 0 ? "nothing was lost, nothing applied twice" : `${problems.length} promises broken`,
);
process.exitCode = problems.length === 0 ? 0 : 1;
