/**
 * A host that may have few descriptors, told by its parent what to do: it takes all that are left and gives them back, and opens workers and
 * isolates, which live until it ends. It answers each with what came of it.
 */
import { closeSync, openSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { TroupeError } from "@troupe/base";
import type { CarrierEvents } from "../../src/carrier.ts";
import { isolateCarrier } from "../../src/carriers/isolate/isolate-carrier.ts";
import { IsolateProcess } from "../../src/carriers/isolate/isolate-process.ts";
import { workerCarrier } from "../../src/carriers/worker/worker-carrier.ts";
import { nodeSessionEnv } from "./node-env.ts";

const [folder = ""] = process.argv.slice(2);
const warn = (line: string): void => void process.send?.({ warned: line });
const log = { ...nodeSessionEnv.log, warn, error: warn };
const env = { ...nodeSessionEnv, log };
const events: CarrierEvents = { frame: () => {}, ended: () => {} };
const sdk = new URL("../../src/worker/host-link.ts", import.meta.url).href;
writeFileSync(
  join(folder, "main.mjs"),
  `import { connectToHost } from ${JSON.stringify(sdk)};
   await connectToHost({ frame: () => {}, ended: () => process.exit(0) });`,
);
const isolates = new IsolateProcess(env);
const taken: number[] = [];

const deeds: Record<string, () => unknown> = {
  take: () => {
    try {
      for (;;) taken.push(openSync("/dev/null", "r"));
    } catch {
      // There are no more.
    }
  },
  give: () => {
    for (const fd of taken.splice(0)) closeSync(fd);
  },
  isolate: () =>
    isolateCarrier(isolates, {
      name: "it",
      source: 'import { actor } from "troupe"; export default actor({ actions: { hi: () => "hi" } })',
      typescript: false,
      asks: [],
      memoryLimit: 64,
      timeLimitMs: 5_000,
    })(events),
  worker: () =>
    workerCarrier({
      plugin: "it",
      env,
      origin: { file: join(folder, "troupe-plugin.toml"), folder },
      load: {
        kind: "worker",
        runtime: "node",
        entrypoint: "main.mjs",
        args: [],
        env: [],
        sha256: undefined,
        files: new Map(),
      },
    })(events),
};

process.on("message", async (deed: string) => {
  try {
    await deeds[deed]?.();
    process.send?.({ deed, became: "done" });
  } catch (cause) {
    process.send?.({ deed, became: nameOf(cause) });
  }
});
function nameOf(cause: unknown): string {
  if (!TroupeError.is(cause)) return String(cause);
  return `${cause.group}.${cause.code}${cause.retryable ? ", retryable" : ""}`;
}

process.send?.({ deed: "start", became: "done" });
