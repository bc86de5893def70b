/**
 * What a call of an actor behind a carrier costs: 100 bytes there and back through the session and the carrier.
 */
import type { PluginSession } from "@troupe/plugins";
import { NO_PAYLOAD } from "@troupe/protocol/actor/v1";
import type { ActorLine, ActorSaying } from "@troupe/runtime";
import type { Figure } from "./line.ts";
import { median, quantile } from "./statistics.ts";

const IN_FLIGHT = 32;

/** Measures `echo` of the session's actor `echo`, called with `args`, and closes the session. */
export async function carriedEcho(
  session: PluginSession,
  { args, calls, rounds }: { readonly args: Uint8Array; readonly calls: number; readonly rounds: number },
): Promise<Figure> {
  const actor = new EchoActor(session, args);
  await latencies(actor, calls / 5);
  const p50s: number[] = [];
  const rates: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    p50s.push(quantile(await latencies(actor, calls), 0.5));
    rates.push(await rate(actor, calls));
  }
  await session.close();
  const detail = `p50 ${(median(p50s) * 1_000).toFixed(1)} µs; ${Math.round(median(rates))} calls/s with ${IN_FLIGHT} in flight`;
  return { value: median(p50s), detail };
}

/** One actor of the session, and calls of its `echo` by number. */
class EchoActor {
  readonly #waiting = new Map<number, PromiseWithResolvers<void>>();
  readonly #line: ActorLine;
  readonly #args: Uint8Array;
  #last = 0;

  constructor(session: PluginSession, args: Uint8Array) {
    this.#args = args;
    const heard = (saying: ActorSaying) => {
      if (saying.$case !== "reply") return;
      const { call } = saying.value;
      this.#waiting.get(call)?.resolve();
      this.#waiting.delete(call);
    };
    // The session was closed by its plugin: a figure of fewer calls would be none.
    const lost = (error: Error): void => {
      for (const waiting of this.#waiting.values()) waiting.reject(error);
    };
    this.#line = session.actor("echo").connect({ heard, lost });
    const start = { name: "echo", key: [], actorId: "", generation: 1, createdAt: 0, isNew: true, rows: [] };
    this.#line.send({
      $case: "start",
      value: { ...start, input: NO_PAYLOAD, actor: "echo", moreRows: false },
    });
  }

  echo(): Promise<void> {
    this.#last += 1;
    const call = this.#last;
    const answered = Promise.withResolvers<void>();
    this.#waiting.set(call, answered);
    const terms = { timeoutMs: 0, idempotencyKey: "", caller: "", chain: [], depth: 0, trace: "" };
    const rest = { connection: 0, params: NO_PAYLOAD, send: undefined, ...terms };
    this.#line.send({ $case: "call", value: { call, action: "echo", args: this.#args, ...rest } });
    return answered.promise;
  }
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

async function rate(actor: EchoActor, calls: number): Promise<number> {
  const caller = async () => {
    for (let n = 0; n < calls / IN_FLIGHT; n += 1) await actor.echo();
  };
  const before = performance.now();
  await Promise.all(Array.from({ length: IN_FLIGHT }, caller));
  return calls / ((performance.now() - before) / 1_000);
}
