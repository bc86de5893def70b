/**
 * `npm run tour`: one small, real path through everything that Troupe is made of. Each part says what it saw, in words and
 * figures; a part that a machine has no tools for says so.
 */
import { performance } from "node:perf_hooks";
import { environmentOf, findProgram, neededPrograms } from "../tools/setup/programs.ts";
import { dynamic } from "./dynamic.ts";
import { edge } from "./edge.ts";
import { native } from "./native.ts";
import { type Part, Report } from "./part.ts";
import { relay } from "./relay.ts";
import { sessions } from "./sessions.ts";

// What the parts provoke on purpose is theirs to tell.
process.env["TROUPE_LOG"] ??= "silent";

const parts: readonly Part[] = [native, dynamic, edge, sessions, relay];

// The tools of a machine, where the parts that build something look for them.
Object.assign(process.env, environmentOf(neededPrograms.map((program) => findProgram(program, process.env))));

const started = performance.now();
let failed = 0;
for (const [index, part] of parts.entries()) {
  process.stdout.write(`\n${index + 1}  ${part.title}\n`);
  const report = new Report();
  try {
    await part.run(report);
  } catch (cause) {
    failed += 1;
    report.failed(cause);
  }
}
const seconds = ((performance.now() - started) / 1_000).toFixed(1);
process.stdout.write(`\n${parts.length - failed} of ${parts.length} parts, ${seconds} s\n`);
process.exitCode = failed === 0 ? 0 : 1;
