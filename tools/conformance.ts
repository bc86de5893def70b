/**
 * `npm run conformance -- plugin`: the stories of one kit, for every driver that is there. Without a name, all of them. What is
 * in Rust is optimised here, as authors ship it; `npm test` builds it in a third of the time, and with debug assertions.
 */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const kits = process.argv.slice(2).map((kit) => `conformance/${kit}/`);
const vitest = ["run", "--project", "whole", ...(kits.length === 0 ? ["conformance/"] : kits)];
const { status } = spawnSync("vitest", vitest, {
  cwd: fileURLToPath(new URL("..", import.meta.url)),
  stdio: "inherit",
  env: {
    CARGO_PROFILE_RELEASE_OPT_LEVEL: "3",
    CARGO_PROFILE_RELEASE_DEBUG_ASSERTIONS: "false",
    ...process.env,
  },
});
process.exitCode = status ?? 1;
