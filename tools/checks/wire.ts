/**
 * Who speaks a contract over the wire (a plugin, a remote host) was built with an older copy of it: what was released once stays as it is.
 * `released.txtpb` is the contracts as they were last released, made by buf; nothing is fetched, and no history is asked for.
 */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Check, Problem } from "../check.ts";
import { command } from "../command.ts";

const buf = fileURLToPath(new URL("../../node_modules/.bin/buf", import.meta.url));
const PROTOCOL = "packages/protocol";
/** What buf ends with when it has found something. */
const FOUND = 100;

export const wireCheck: Check = {
  name: "wire",
  remedy:
    "A field keeps its number and its type for good: add another one, or another version of the contract beside it. `npm run proto:release` is for a release alone.",
  find: async (repository) => {
    if (!repository.has(`${PROTOCOL}/released.txtpb`))
      return [{ at: `${PROTOCOL}/released.txtpb`, message: "isn't there: nothing is compared" }];
    const args = ["breaking", "--against", "released.txtpb", "--error-format", "json"];
    const { status, output } = await command(buf, args, { cwd: join(repository.root, PROTOCOL) });
    if (status === 0) return [];
    const problems = output.split("\n").flatMap(problemOf);
    return status === FOUND && problems.length > 0 ? problems : [{ at: PROTOCOL, message: output.trim() }];
  },
};

/** One line of its report. */
function problemOf(line: string): Problem[] {
  if (!line.startsWith("{")) return [];
  const { path, start_line, message }: Partial<Record<string, unknown>> = JSON.parse(line);
  const at = path === undefined ? PROTOCOL : `${PROTOCOL}/${path}:${start_line}`;
  return [{ at, message: String(message) }];
}
