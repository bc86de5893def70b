/**
 * Which agent a command line runs, and where its own arguments begin: `claude -p hi`, and `npx -y @openai/codex exec`, where those
 * before are the launcher's. A word for the agent that the launcher took for its own would be lost, or mean something else there.
 */
import { basename } from "node:path";

/** Programs that run another, which their first argument names that isn't an option. */
const launchers: ReadonlySet<string> = new Set([
  ...["npx", "pnpx", "bunx", "npm", "pnpm", "yarn", "bun", "deno", "node"],
]);

/** Their words for "run this". */
const verbs: ReadonlySet<string> = new Set(["exec", "dlx", "x", "run"]);

/** Packages that aren't called as their agent is. */
const packages: Readonly<Record<string, string>> = {
  "@anthropic-ai/claude-code": "claude",
  "@google/gemini-cli": "gemini",
  "opencode-ai": "opencode",
};

/** An agent's name, and how many arguments come before its own. */
export interface FoundAgent {
  readonly name: string;
  readonly before: number;
}

/** `said`: which agent it is, where the user says so. */
export function findAgent(program: string, args: readonly string[], said?: string): FoundAgent {
  const own = nameOf(program);
  if (own === said || !launchers.has(own)) return { name: said ?? own, before: 0 };
  const named = said === undefined ? -1 : args.findIndex((word) => nameOf(word) === said);
  const first = named >= 0 ? named : args.findIndex((word) => !word.startsWith("-") && !verbs.has(word));
  return { name: said ?? nameOf(args[first] ?? own), before: first + 1 };
}

/** By a program or a package: `/usr/bin/claude`, `codex.js`, `@openai/codex@latest`. */
function nameOf(word: string): string {
  const bare = word.replace(/(?<=.)@[^/@]*$/, "");
  return packages[bare] ?? basename(bare).replace(/\.(?:cmd|exe|js|mjs)$/, "");
}
