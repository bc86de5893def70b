/** `troupe trace`: a recorded run, in the terminal or as a page. */
import { writeFile } from "node:fs/promises";
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

/** Shows `file`. Throws `trace.cannot_read`, `trace.not_atof`, `config.cannot_write`. */
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
  try {
    await writeFile(page, tracePage(trace, basename(path)), { mode: 0o600 });
  } catch (cause) {
    throw optionErrors.cannotWrite(page, cause);
  }
  out(`The trace is at ${page}\n`);
}
