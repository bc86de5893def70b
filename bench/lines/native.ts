/**
 * What a call of an actor in a native library costs: 100 bytes there and back through the session and the carrier.
 */
import { nativeCarrier, openSession } from "@troupe/plugins";
import { NO_PAYLOAD } from "@troupe/protocol/actor/v1";
import type { ActorLine, ActorSaying } from "@troupe/runtime";

import { cExample } from "../../packages/plugins/test/support/built.ts";
import { nodeSessionEnv } from "../../packages/plugins/test/support/node-env.ts";
import type { Figure, Line } from "../line.ts";
import { median, quantile } from "../statistics.ts";

const CALLS = 50_000;
const IN_FLIGHT = 32;

/** One actor of the plugin, and calls of its `echo` by number. */
class EchoActor {
  readonly #waiting = new Map<number, () => void>();
  readonly #line: ActorLine;
  readonly #payload = new Uint8Array(100).fill(7);
  #last = 0;

  constructor(session: Awaited<ReturnType<typeof openSession>>) {
    const heard = (saying: ActorSaying) => {
      if (saying.$case !== "reply") return;
      const { call } = saying.value;
      this.#waiting.get(call)?.();
      this.#waiting.delete(call);
    };
    this.#line = session.actor("echo").connect({ heard, lost: () => {} });
    const start = { name: "echo", key: [], actorId: "", generation: 1, createdAt: 0, isNew: true, rows: [] };
    this.#line.send({ $case: "start", value: { ...start, input: NO_PAYLOAD, actor: "echo" } });
  }

  echo(): Promise<void> {
    this.#last += 1;
    const call = this.#last;
    return new Promise((resolve) => {
      this.#waiting.set(call, resolve);
      const rest = { connection: 0, params: NO_PAYLOAD, timeoutMs: 0 };
      this.#line.send({ $case: "call", value: { call, action: "echo", args: this.#payload, ...rest } });
    });
  }
}

async function nativeEcho(rounds: number): Promise<Figure> {
  const built = await cExample("echo");
  if (built.missing !== undefined) return { value: Number.NaN, detail: built.missing };
  const open = nativeCarrier({ library: built.path });
  const session = await openSession({ env: nodeSessionEnv, open, hostVersion: "bench" });
  const actor = new EchoActor(session);
  await latencies(actor, CALLS / 5);
  const p50s: number[] = [];
  const rates: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    p50s.push(quantile(await latencies(actor, CALLS), 0.5));
    rates.push(await rate(actor));
  }
  await session.close();
  const detail = `p50 ${(median(p50s) * 1_000).toFixed(1)} µs; ${Math.round(median(rates))} calls/s with ${IN_FLIGHT} in flight`;
  return { value: median(p50s), detail };
}

async function latencies(actor: EchoActor, calls: number): Promise<number[]> {
  const times: number[] = [];
  for (let n = 0; n < calls; n += 1) {
    const before = performance.now();
    await actor.echo();
    times.push(performance.now() - before);
  }
  return times.sort((a, b) => a - b);
}

async function rate(actor: EchoActor): Promise<number> {
  const caller = async () => {
    for (let n = 0; n < CALLS / IN_FLIGHT; n += 1) await actor.echo();
  };
  const before = performance.now();
  await Promise.all(Array.from({ length: IN_FLIGHT }, caller));
  return CALLS / ((performance.now() - before) / 1_000);
}

/** Lines about native plugins. */
export const nativeLines: readonly Line[] = [
  {
    name: "native-echo",
    work: "100 bytes to an actor in a native library and back, p50",
    unit: "ms",
    target: 0.04,
    better: "less",
    peers: "one asynchronous call of koffi alone 0.020 ms",
    measure: nativeEcho,
  },
];
