/**
 * What a call of a dynamic actor costs: into the isolate process and its isolate, and back.
 */
import { openSession } from "@troupe/plugins";
import { encodeArgs } from "@troupe/protocol/actor/v1";
import { isolateCarrier } from "../../packages/plugins/src/carriers/isolate/isolate-carrier.ts";
import { IsolateProcess } from "../../packages/plugins/src/carriers/isolate/isolate-process.ts";
import { nodeSessionEnv } from "../../packages/plugins/test/support/node-env.ts";
import { carriedEcho } from "../carried-echo.ts";
import type { Figure, Line } from "../line.ts";

const CALLS = 10_000;

const source = `import { actor } from "troupe"; export default actor({ actions: { echo: (c, value) => value } });`;

async function isolateEcho(rounds: number): Promise<Figure> {
  const process = new IsolateProcess(nodeSessionEnv);
  const open = isolateCarrier(process, { name: "echo", source, memoryLimit: 64, timeLimitMs: 1_000 });
  const session = await openSession({ env: nodeSessionEnv, open, hostVersion: "bench" });
  const args = encodeArgs([new Uint8Array(100).fill(7)], "cbor");
  const figure = await carriedEcho(session, { args, calls: CALLS, rounds });
  await process.close();
  return figure;
}

/** Lines about dynamic actors. */
export const isolateLines: readonly Line[] = [
  {
    name: "isolate-echo",
    work: "100 bytes to a dynamic actor in its isolate and back, p50",
    unit: "ms",
    target: 0.06,
    better: "less",
    peers:
      "one asynchronous call of isolated-vm alone 0.020 ms, a socket pair's round trip 0.015 to 0.049 ms",
    measure: isolateEcho,
  },
];
