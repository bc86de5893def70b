/**
 * Which agent a command line runs, and where its own arguments begin: `claude -p hi`, and `npx -y @openai/codex exec`, where those
 * before are the launcher's. A word for the agent that the launcher took for its own would be lost, or mean something else there.
 */
import { basename } from "node:path";

/** A program that runs another, which its first word names that is neither an option nor the value of one. */
interface Launcher {
  /** Options whose value is the next word. */
  readonly valued: ReadonlySet<string>;
  /** Options whose value is a program of its own, for a shell or for the launcher: no word behind it is an agent's name. */
  readonly runs: ReadonlySet<string>;
}

const npm = launcher(
  "-p --package -w --workspace --prefix --registry --cache --userconfig -C --dir --cwd --filter -F",
  "-c --call",
);
const node = launcher(
  "-r --require --import --loader --experimental-loader -C --conditions --env-file --env-file-if-exists --title --preload --cwd --config",
  "-e --eval -p --print --run",
);

const launchers: ReadonlyMap<string, Launcher> = new Map([
  ...["npx", "pnpx", "bunx", "npm", "pnpm", "yarn"].map((name) => [name, npm] as const),
  ...["bun", "deno", "node"].map((name) => [name, node] as const),
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
  const known = launchers.get(own);
  if (own === said || known === undefined) return { name: said ?? own, before: 0 };
  const words = wordsOf(args, known);
  const named = said === undefined ? undefined : words.find((at) => nameOf(args[at] ?? "") === said);
  const first = named ?? words.find((at) => !verbs.has(args[at] ?? ""));
  if (first === undefined) return { name: said ?? own, before: 0 };
  return { name: said ?? nameOf(args[first] ?? own), before: first + 1 };
}

/** Where words stand that are neither options of the launcher nor their values. */
function wordsOf(args: readonly string[], { valued, runs }: Launcher): readonly number[] {
  const words: number[] = [];
  // Behind the first that is no verb options are another program's.
  let itsOwn = true;
  for (let at = 0; at < args.length; at += 1) {
    const word = args[at] ?? "";
    if (itsOwn && runs.has(word.replace(/=.*/s, ""))) return [];
    if (itsOwn && valued.has(word)) at += 1;
    else if (!word.startsWith("-")) {
      words.push(at);
      itsOwn &&= verbs.has(word);
    }
  }
  return words;
}

function launcher(valued: string, runs: string): Launcher {
  return { valued: new Set(valued.split(" ")), runs: new Set(runs.split(" ")) };
}

/** By a program or a package: `/usr/bin/claude`, `codex.js`, `@openai/codex@latest`. */
function nameOf(word: string): string {
  const bare = word.replace(/(?<=.)@[^/@]*$/, "");
  return packages[bare] ?? basename(bare).replace(/\.(?:cmd|exe|js|mjs)$/, "");
}
