/** Ls command: just-bash's `ls` has one mode for all files, no links, and an empty line behind each file that it is given. Here it tells what is there. */
import type { Bash, CommandContext, ExecResult, FsStat } from "just-bash";
import { correctCommand } from "./corrected-command.ts";
import { modeWords, placeOf } from "./stat-command.ts";

const LONG: Readonly<Record<string, string>> = {
  "--all": "a",
  "--almost-all": "A",
  "--classify": "F",
  "--directory": "d",
  "--human-readable": "h",
  "--recursive": "R",
  "--reverse": "r",
};
const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");
/** What is older is shown with its year. */
const RECENT_MS = 182 * 24 * 60 * 60 * 1000;

interface Entry {
  readonly name: string;
  readonly path: string;
  readonly stat: FsStat;
  /** Where it leads, if it is a link. */
  readonly target: string | undefined;
}

/** Makes `ls` tell modes and links, and files before directories. */
export function correctLs(bash: Bash): void {
  correctCommand(bash, "ls", (execute) => async (args, context) => {
    const call = callOf(args);
    return call === undefined ? await execute(args, context) : await list(call, context);
  });
}

/** Its options, each a letter, and what it is to list; `undefined` where a word isn't known. */
function callOf(args: readonly string[]): { letters: string; operands: string[] } | undefined {
  let letters = "";
  const operands: string[] = [];
  const words = args.values();
  for (const word of words) {
    if (word === "--") operands.push(...words);
    else if (!/^-./.test(word)) operands.push(word);
    else if (/^--color(?:=|$)/.test(word)) continue;
    else {
      const short = LONG[word] ?? /^-(?<short>[aAdFhlrRSt1]+)$/.exec(word)?.groups?.short;
      if (short === undefined) return undefined;
      letters += short;
    }
  }
  return { letters, operands: operands.length === 0 ? ["."] : operands };
}

async function list(
  { letters, operands }: { readonly letters: string; readonly operands: readonly string[] },
  context: CommandContext,
): Promise<ExecResult> {
  const files: Entry[] = [];
  const directories: Entry[] = [];
  let stderr = "";
  for (const name of operands) {
    const path = await placeOf(context.fs, context.fs.resolvePath(context.cwd, name));
    const entry = await entryAt(context, name, path).catch(() => undefined);
    if (entry === undefined) stderr += `ls: cannot access '${name}': No such file or directory\n`;
    else ((await isListed(entry, letters, context)) ? directories : files).push(entry);
  }
  const blocks = files.length === 0 ? [] : [lines(sorted(files, letters), letters)];
  const isNamed = operands.length > 1 || letters.includes("R");
  for (const directory of sorted(directories, letters))
    await listInto(blocks, directory, letters, isNamed, context);
  return { stdout: blocks.join("\n"), stderr, exitCode: stderr === "" ? 0 : 2 };
}

/** A directory whose files are listed. A link to one is it, unless what a link is is asked for. */
async function isListed({ path, stat }: Entry, letters: string, { fs }: CommandContext): Promise<boolean> {
  if (letters.includes("d")) return false;
  if (!stat.isSymbolicLink) return stat.isDirectory;
  if (/[lF]/.test(letters)) return false;
  return await fs.stat(path).then(
    ({ isDirectory }) => isDirectory,
    () => false,
  );
}

/** A directory, and with `-R` those below it. */
async function listInto(
  blocks: string[],
  { name, path }: Entry,
  letters: string,
  isNamed: boolean,
  context: CommandContext,
): Promise<void> {
  const place = await context.fs.realpath(path);
  const all = await context.fs.readdir(place);
  const names = all.filter((one) => /[aA]/.test(letters) || !one.startsWith("."));
  const found = await Promise.all(names.map((one) => entryAt(context, one, `${place}/${one}`)));
  const own = letters.includes("a") ? [".", ".."] : [];
  const entries = await Promise.all(
    own.map((one) => entryAt(context, one, context.fs.resolvePath(place, one))),
  );
  const shown = sorted([...entries, ...found], letters);
  const total = letters.includes("l")
    ? `total ${shown.reduce((sum, entry) => sum + blocksOf(entry), 0)}\n`
    : "";
  blocks.push(`${isNamed ? `${name}:\n` : ""}${total}${lines(shown, letters)}`);
  if (!letters.includes("R")) return;
  for (const below of sorted(found, letters))
    if (below.stat.isDirectory)
      await listInto(
        blocks,
        { ...below, name: `${name.replace(/\/$/, "")}/${below.name}` },
        letters,
        true,
        context,
      );
}

async function entryAt({ fs }: CommandContext, name: string, path: string): Promise<Entry> {
  const stat = await fs.lstat(path);
  const target = stat.isSymbolicLink ? await fs.readlink(path) : undefined;
  return {
    name,
    path,
    target,
    stat: target === undefined ? stat : { ...stat, size: Buffer.byteLength(target) },
  };
}

function sorted(entries: readonly Entry[], letters: string): Entry[] {
  const by = (one: Entry, other: Entry): number => {
    if (letters.includes("S") && one.stat.size !== other.stat.size) return other.stat.size - one.stat.size;
    const younger = other.stat.mtime.getTime() - one.stat.mtime.getTime();
    if (letters.includes("t") && younger !== 0) return younger;
    return one.name < other.name ? -1 : one.name > other.name ? 1 : 0;
  };
  const order = [...entries].sort(by);
  return letters.includes("r") ? order.reverse() : order;
}

function lines(entries: readonly Entry[], letters: string): string {
  const sizes = entries.map(({ stat }) => sizeOf(stat.size, letters.includes("h")));
  const width = Math.max(0, ...sizes.map((size) => size.length));
  return entries
    .map((entry, at) => {
      const { name, stat, target } = entry;
      const shown = name + (letters.includes("F") ? markOf(entry, letters) : "");
      if (!letters.includes("l")) return `${shown}\n`;
      const size = (sizes[at] ?? "").padStart(width);
      const leads = target === undefined ? "" : ` -> ${target}`;
      return `${modeWords(stat)} 1 user user ${size} ${dateOf(stat.mtime)} ${shown}${leads}\n`;
    })
    .join("");
}

function markOf({ stat }: Entry, letters: string): string {
  if (stat.isSymbolicLink) return letters.includes("l") ? "" : "@";
  if (stat.isDirectory) return "/";
  return (stat.mode & 0o111) === 0 ? "" : "*";
}

/** In blocks of 1,024 bytes, four at a time. */
function blocksOf({ stat }: Entry): number {
  if (stat.isDirectory) return 4;
  return stat.isSymbolicLink ? 0 : Math.ceil(stat.size / 4096) * 4;
}

function sizeOf(bytes: number, isHuman: boolean): string {
  if (!isHuman || bytes < 1024) return String(bytes);
  let size = bytes;
  let unit = -1;
  for (; size >= 1024; unit++) size /= 1024;
  return (size < 10 ? (Math.ceil(size * 10) / 10).toFixed(1) : String(Math.ceil(size))) + "KMGT".charAt(unit);
}

function dateOf(time: Date): string {
  const day = `${MONTHS[time.getMonth()]} ${String(time.getDate()).padStart(2)}`;
  if (Date.now() - time.getTime() > RECENT_MS) return `${day}  ${time.getFullYear()}`;
  const two = (number: number) => String(number).padStart(2, "0");
  return `${day} ${two(time.getHours())}:${two(time.getMinutes())}`;
}
