/** `troupe trace`: a recorded run, in the terminal or as a page. */
import { open, stat } from "node:fs/promises";
import { basename, resolve } from "node:path";
import { optionErrors } from "../errors.ts";
import { readTrace } from "./read-trace.ts";
import { showTrace } from "./show-trace.ts";
import { tracePage } from "./trace-page.ts";

/** As typed. */
export interface TraceFlags {
  /** Where the page goes. */
  readonly html?: string;
}

/** Shows `file`. Throws `trace.cannot_read`, `trace.not_atof`, `config.invalid_option`, `config.cannot_write`. */
export async function runTrace(
  file: string,
  flags: TraceFlags,
  { cwd, out }: { readonly cwd: string; readonly out: (text: string) => void },
): Promise<void> {
  const path = resolve(cwd, file);
  const trace = await readTrace(path);
  if (flags.html === undefined) {
    out(showTrace(trace));
    return;
  }
  const page = resolve(cwd, flags.html);
  if (await areSame(path, page))
    throw optionErrors.invalid("--html", flags.html, "another file than the trace");
  try {
    await writePage(page, tracePage(trace, basename(path)));
  } catch (cause) {
    throw optionErrors.cannotWrite(page, cause);
  }
  out(`The trace is at ${page}\n`);
}

/** By whatever names: a link leads to the same file. */
async function areSame(one: string, other: string): Promise<boolean> {
  const [first, second] = await Promise.all([one, other].map((path) => stat(path).catch(() => undefined)));
  return first !== undefined && first.ino === second?.ino && first.dev === second.dev;
}

/** For its user alone, also where a file for everybody was there. */
async function writePage(path: string, text: string): Promise<void> {
  await using file = await open(path, "w", 0o600);
  if ((await file.stat()).isFile()) await file.chmod(0o600);
  await file.writeFile(text);
}
