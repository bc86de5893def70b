import { mkdir, open } from "node:fs/promises";
import { dirname } from "node:path";
import { optionErrors } from "../errors.ts";

/** Makes the trace's file where there is none, for its owner alone: its events come later, when nobody looks. Throws `config.cannot_write`. */
export async function prepareTraceFile(path: string): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true });
    await (await open(path, "a", 0o600)).close();
  } catch (cause) {
    throw optionErrors.cannotWrite(path, cause);
  }
}
