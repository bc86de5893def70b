/**
 * `npm run long -- [--list] [part …]`: the long campaigns, one after the other, or those that are named. Each says what it runs and has a time
 * after which it is ended. Fails when one of them does, behind the last.
 */
import { fileURLToPath } from "node:url";
import { command } from "./command.ts";
import { commandLine } from "./command-line.ts";
import { describePart, partsNamed } from "./long-parts.ts";

const USAGE = "npm run long -- [--list] [part …]";
const { values, positionals } = commandLine(USAGE, {
  allowPositionals: true,
  options: { list: { type: "boolean", default: false } },
});
const cwd = fileURLToPath(new URL("..", import.meta.url));
const failed: string[] = [];
for (const part of partsNamed(positionals)) {
  console.log(describePart(part));
  if (values.list) continue;
  const { name, args, minutes } = part;
  const run = await command(process.execPath, args, { cwd, show: true, timeoutMs: minutes * 60_000 });
  if (run.status === 0) continue;
  failed.push(name);
  console.log(run.output.split("\n").slice(-40).join("\n"));
  console.log(`${name}: ${run.timedOut ? `took longer than ${minutes} minutes` : "failed"}`);
}
if (failed.length > 0) console.log(`Failed: ${failed.join(", ")}`);
process.exitCode = failed.length === 0 ? 0 : 1;
