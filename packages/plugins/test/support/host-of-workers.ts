/**
 * A host with workers and an isolate that has a call in flight, which never ends: two signals end it at once. Its arguments are the
 * workers' programs, each `runtime:path`.
 */
import { mkdtempSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { createClient } from "@troupe/client";
import { setup } from "@troupe/runtime";
import { workerCarrier } from "../../src/carriers/worker/worker-carrier.ts";
import type { WorkerLoad } from "../../src/manifest/load.ts";
import { dynamic } from "./dynamic-world.ts";
import { nodeSessionEnv as env } from "./node-env.ts";

const [folder = "", ...programs] = process.argv.slice(2);
const hang = dynamic(
  "actions: { hang: (c) => { c.broadcast('begun'); return new Promise(() => {}); } }, events: { begun: event() }",
);
const registry = setup({ use: { hang } });
const dataDir = mkdtempSync(join(folder, "data-"));
const { endpoint } = await registry.start({ port: 0, dataDir, banner: false });
const connection = createClient(endpoint).getOrCreate("hang", ["a"]).connect();
const begun = new Promise((resolve) => connection.on("begun", resolve));
await connection.ready;
connection.action({ name: "hang", args: [] }).catch(() => undefined);
await begun;

for (const program of programs) {
  const [runtime, path = ""] = program.split(":");
  const origin = { file: join(dirname(path), "troupe-plugin.toml"), folder: dirname(path) };
  const rest = { args: [], env: [], sha256: undefined, files: new Map<string, string>() };
  const load = {
    kind: "worker",
    runtime: runtime as WorkerLoad["runtime"],
    entrypoint: basename(path),
    ...rest,
  } as const;
  // None of them ever connects.
  const open = workerCarrier({ plugin: basename(path), env, origin, load, connectTimeoutMs: 600_000 });
  open({ frame: () => {}, ended: () => {} }).catch((cause: unknown) => process.stderr.write(`${cause}\n`));
}
process.stdout.write("ready\n");
