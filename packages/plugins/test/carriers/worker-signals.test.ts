/** Signals to a worker: its host ends it, and nobody else. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { PLUGIN_VERSIONS, type PluginFrame } from "@troupe/protocol/plugin/v1";
import { expect, test } from "vitest";
import { workerCarrier } from "../../src/carriers/worker/worker-carrier.ts";
import type { WorkerLoad } from "../../src/manifest/load.ts";
import { rustProgram } from "../support/built.ts";
import { counterPython, counterWorker } from "../support/counters.ts";
import { children } from "../support/dynamic-world.ts";
import { nodeSessionEnv } from "../support/node-env.ts";
import { PluginFolder } from "../support/plugin-folder.ts";
import { findPython } from "../support/python.ts";

type Program = Pick<WorkerLoad, "runtime" | "entrypoint"> & { readonly missing?: string | undefined };
type Make = (folder: PluginFolder) => Promise<Program>;

const programs: readonly (readonly [string, Make])[] = [
  [
    "TypeScript",
    async (folder) => {
      folder.write("main.ts", counterWorker());
      return { runtime: "node", entrypoint: "main.ts" };
    },
  ],
  [
    "Python",
    async (folder) => {
      folder.write("main.py", counterPython);
      return { runtime: "python", entrypoint: "main.py", missing: (await findPython()).missing };
    },
  ],
  [
    "Rust",
    async (folder) => {
      const built = await rustProgram("guardrail");
      if (built.missing === undefined) folder.write("guardrail", readFileSync(built.path), 0o755);
      return { runtime: "rust", entrypoint: "guardrail", missing: built.missing };
    },
  ],
];

test.skipIf(process.platform !== "linux").for(programs)(
  "a worker in %s answers on after the signals of a terminal, or of a service that stops, and ends when its host says so",
  async ([, make], context) => {
    using folder = new PluginFolder();
    const { missing, ...program } = await make(folder);
    context.skip(missing !== undefined, missing);
    const heard: PluginFrame["body"][] = [];
    const ended = Promise.withResolvers<unknown>();
    const load = {
      kind: "worker",
      args: [],
      env: [],
      sha256: undefined,
      files: new Map(),
      ...program,
    } as const;
    const carrier = await workerCarrier({ plugin: "it", env: nodeSessionEnv, origin: folder.origin, load })({
      frame: ({ body }) => heard.push(body),
      ended: ended.resolve,
    });
    const hello = { versions: PLUGIN_VERSIONS, hostVersion: "0.0.0", config: new Uint8Array(0) };
    carrier.send({ body: { $case: "hello", value: hello } });
    await expect.poll(() => heard.map((body) => body?.$case), { timeout: 10_000 }).toContain("ready");
    const pid = children().find((child) => commandOf(child).includes(join(folder.path, program.entrypoint)));
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.kill(Number(pid), signal);
    carrier.send({ body: { $case: "ping", value: { number: 7 } } });
    await expect
      .poll(() => heard, { timeout: 10_000 })
      .toContainEqual({ $case: "pong", value: { number: 7 } });
    expect(await carrier.close(5_000)).toEqual({ clean: true });
    expect(await ended.promise).toBeUndefined();
  },
);

function commandOf(pid: number): string {
  return readFileSync(`/proc/${pid}/cmdline`, "latin1").replaceAll("\0", " ");
}
