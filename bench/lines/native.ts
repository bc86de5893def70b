/**
 * What a call of an actor in a native library costs.
 */
import { nativeCarrier, openSession } from "@troupe/plugins";

import { cExample } from "../../packages/plugins/test/support/built.ts";
import { nodeSessionEnv } from "../../packages/plugins/test/support/node-env.ts";
import { carriedEcho } from "../carried-echo.ts";
import type { Figure, Line } from "../line.ts";

const CALLS = 50_000;

async function nativeEcho(rounds: number): Promise<Figure> {
  const built = await cExample("echo");
  if (built.missing !== undefined) return { value: Number.NaN, detail: built.missing };
  const open = nativeCarrier({ library: built.path });
  const session = await openSession({ env: nodeSessionEnv, open, hostVersion: "bench" });
  return await carriedEcho(session, { args: new Uint8Array(100).fill(7), calls: CALLS, rounds });
}

/** Lines about native plugins. */
export const nativeLines: readonly Line[] = [
  {
    name: "native-echo",
    work: "100 bytes to an actor in a native library and back, p50",
    unit: "ms",
    target: 0.025,
    better: "less",
    peers: "one asynchronous call of koffi alone 0.020 ms",
    measure: nativeEcho,
  },
];
