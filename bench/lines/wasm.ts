/**
 * What a call of an actor in WebAssembly costs: into its thread and back.
 */
import { openSession, wasmCarrier } from "@troupe/plugins";
import { wasmPlugin } from "../../packages/plugins/test/support/built.ts";
import { nodeSessionEnv } from "../../packages/plugins/test/support/node-env.ts";
import { carriedEcho } from "../carried-echo.ts";
import type { Figure, Line } from "../line.ts";

const CALLS = 50_000;

async function wasmEcho(rounds: number): Promise<Figure> {
  const built = await wasmPlugin("echo");
  if (built.missing !== undefined) return { value: Number.NaN, detail: built.missing };
  const open = wasmCarrier({ wasm: built.path });
  const session = await openSession({ env: nodeSessionEnv, open, hostVersion: "bench" });
  return await carriedEcho(session, { args: new Uint8Array(100).fill(7), calls: CALLS, rounds });
}

/** Lines about plugins in WebAssembly. */
export const wasmLines: readonly Line[] = [
  {
    name: "wasm-echo",
    work: "100 bytes to an actor in WebAssembly, in its thread, and back, p50",
    unit: "ms",
    target: 0.025,
    better: "less",
    peers: "a message to a worker thread of Node and back 0.015 to 0.017 ms",
    measure: wasmEcho,
  },
];
