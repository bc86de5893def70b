/**
 * The guest's program, compiled once for all isolates of the process.
 */
import { readFileSync } from "node:fs";
import ivm from "isolated-vm";

const code = readFileSync(new URL("../../../../dist/isolate-guest.js", import.meta.url), "utf8");
const filename = "troupe:guest";
let cachedData: ivm.ExternalCopy<ArrayBuffer> | undefined;

/** Runs the guest in a context; it leaves `troupeIsolate` there. */
export async function runGuest(isolate: ivm.Isolate, context: ivm.Context): Promise<void> {
  const script = await isolate.compileScript(code, {
    filename,
    ...(cachedData === undefined ? { produceCachedData: true } : { cachedData }),
  });
  if (cachedData === undefined && "cachedData" in script && script.cachedData instanceof ivm.ExternalCopy)
    cachedData = script.cachedData;
  await script.run(context);
}
