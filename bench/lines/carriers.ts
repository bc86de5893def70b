/**
 * What a call of a plugin's actor costs on the carriers whose plugins are in TypeScript: a module of this process, and a worker
 * process over gRPC. The lines of libraries and isolates are `native.ts` and `isolate.ts`.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type OpenCarrier, openSession } from "@troupe/plugins";
import type { WorkerPlugin } from "@troupe/plugins/worker";
import { encodeArgs } from "@troupe/protocol/actor/v1";
import { actor } from "@troupe/runtime";
import { moduleCarrier } from "../../packages/plugins/src/carriers/module/module-carrier.ts";
import { workerCarrier } from "../../packages/plugins/src/carriers/worker/worker-carrier.ts";
import { PluginSideSession } from "../../packages/plugins/src/worker/plugin-session.ts";
import { nodeSessionEnv } from "../../packages/plugins/test/support/node-env.ts";
import { carriedEcho } from "../carried-echo.ts";
import type { Figure, Line } from "../line.ts";
import { socketEcho } from "../socket-echo.ts";

const CALLS = 10_000;

/** What takes microseconds is compiled well only after so many. */
const MODULE_CALLS = 50_000;

const program = `import { actor } from ${JSON.stringify(import.meta.resolve("@troupe/runtime"))};
  import { serveWorker } from ${JSON.stringify(import.meta.resolve("@troupe/plugins/worker"))};
  await serveWorker({ name: "echo", actors: { echo: actor({ actions: { echo: (c, value) => value } }) } });`;

const plugin: WorkerPlugin = {
  name: "echo",
  actors: { echo: actor({ actions: { echo: (_c, value: unknown) => value } }) },
};

async function echo(open: OpenCarrier, rounds: number, calls = CALLS): Promise<Figure> {
  const session = await openSession({ env: nodeSessionEnv, open, hostVersion: "bench" });
  const args = encodeArgs([new Uint8Array(100).fill(7)], "cbor");
  return await carriedEcho(session, { args, calls, rounds });
}

function moduleEcho(rounds: number): Promise<Figure> {
  return echo(
    moduleCarrier(async (send) => new PluginSideSession(plugin, send)),
    rounds,
    MODULE_CALLS,
  );
}

async function workerEcho(rounds: number): Promise<Figure> {
  const folder = mkdtempSync(join(tmpdir(), "troupe-bench-worker-"));
  try {
    writeFileSync(join(folder, "main.ts"), program);
    const unchecked = { sha256: undefined, files: new Map<string, string>() };
    const load = {
      kind: "worker",
      runtime: "node",
      entrypoint: "main.ts",
      args: [],
      env: [],
      ...unchecked,
    } as const;
    const floors = [await socketEcho(folder, CALLS)];
    const figure = await echo(
      workerCarrier({ plugin: "echo", env: nodeSessionEnv, origin: { file: "bench", folder }, load }),
      rounds,
    );
    floors.push(await socketEcho(folder, CALLS));
    const floor = floors.map((ms) => (ms * 1_000).toFixed(1)).join(" and ");
    return { ...figure, detail: `${figure.detail}; a bare socket's before and behind it ${floor} µs` };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Lines about plugins in TypeScript. */
export const carrierLines: readonly Line[] = [
  {
    name: "module-echo",
    work: "100 bytes to an actor of a module in this process and back, p50",
    unit: "ms",
    target: 0.002,
    better: "less",
    peers: "the same actor without a session 0.001 ms or less",
    measure: moduleEcho,
  },
  {
    name: "worker-echo",
    work: "100 bytes to an actor in a worker process and back, over gRPC, p50",
    unit: "ms",
    target: 0.08,
    better: "less",
    peers: "a socket pair's round trip 0.015 to 0.049 ms; gRPC's own is several times that",
    measure: workerEcho,
  },
];
