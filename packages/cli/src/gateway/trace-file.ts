import { mkdir, open } from "node:fs/promises";
import { dirname } from "node:path";
import { optionErrors } from "../errors.ts";

/** Makes the trace's file where there is none, for its owner alone: its events come later, when nobody looks. Throws `config.cannot_write`. */
export async function prepareTraceFile(path: string): Promise<void> {
  try {
    await makeFolder(dirname(path));
    await (await open(path, "a", 0o600)).close();
  } catch (cause) {
    throw optionErrors.cannotWrite(path, cause);
  }
}

/** Step by step: Node's own way never ends where a system says of a folder that is there that it isn't, as `/proc` does. */
async function makeFolder(path: string): Promise<void> {
  const failure = await failureToMake(path);
  if (failure === undefined || failure.code === "EEXIST") return;
  if (failure.code !== "ENOENT" || dirname(path) === path) throw failure;
  await makeFolder(dirname(path));
  const again = await failureToMake(path);
  if (again !== undefined && again.code !== "EEXIST") throw again;
}

async function failureToMake(path: string): Promise<NodeJS.ErrnoException | undefined> {
  return await mkdir(path).then(
    () => undefined,
    (cause: NodeJS.ErrnoException) => cause,
  );
}
