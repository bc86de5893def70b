/** `npm run check`: the static checks alone, in seconds. */
import { fileURLToPath } from "node:url";
import { staticChecks } from "./checks.ts";
import { Repository } from "./repository.ts";
import { runChecks } from "./run-checks.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const results = await runChecks(staticChecks, new Repository(root), console.log);
process.exitCode = results.some((result) => result.problems.length > 0) ? 1 : 0;
