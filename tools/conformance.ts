/** `npm run conformance -- plugin`: the stories of one kit, for every driver that is there. Without a name, all of them. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const kits = process.argv.slice(2).map((kit) => `conformance/${kit}/`);
const vitest = ["run", "--project", "whole", ...(kits.length === 0 ? ["conformance/"] : kits)];
const { status } = spawnSync("vitest", vitest, {
  cwd: fileURLToPath(new URL("..", import.meta.url)),
  stdio: "inherit",
});
process.exitCode = status ?? 1;
