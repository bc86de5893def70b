/**
 * Actors on remote hosts: what the way through an engine costs, against the same program with its actors embedded, and how
 * actors go from one host to another.
 */
import { bundle, EdgeHost } from "../../packages/runtime/test/edge/workerd.ts";
import type { Figure, Line } from "../line.ts";
import { BenchLoad } from "../processes.ts";
import type { LoadOrder } from "../protocol.ts";
import { HOSTS_TOKEN, RemotePart } from "../remote.ts";
import { median, quantile } from "../statistics.ts";

const MOVED = 10_000;
const COLD = 50;

/** Throughput with 32 callers, and the time of a call of one who is alone. */
interface Pace {
  readonly perSecond: number;
  readonly p50: number;
}

async function pace(load: BenchLoad, port: number): Promise<Pace> {
  const order = { kind: "http", port, keys: 64, callers: 32, mode: "add" } as const;
  await load.run({ ...order, durationMs: 1_000 });
  const { calls, seconds } = await load.run({ ...order, durationMs: 1_500 });
  const alone = await load.run({ ...order, keys: 1, callers: 1, durationMs: 700 });
  return { perSecond: calls / seconds, p50: quantile(alone.latencies, 0.5) };
}

async function paces(rounds: number): Promise<{ readonly here: Pace; readonly there: Pace }[]> {
  using load = new BenchLoad();
  const pairs: { readonly here: Pace; readonly there: Pace }[] = [];
  for (let round = 0; round < rounds; round += 1) {
    await using embedded = await RemotePart.serve("embedded");
    const here = await pace(load, embedded.port);
    await embedded.ended("SIGKILL");
    await using engine = await RemotePart.serve("engine");
    await using _ = await RemotePart.host(engine.endpoint);
    pairs.push({ here, there: await pace(load, engine.port) });
  }
  return pairs;
}

async function throughput(rounds: number): Promise<Figure> {
  const pairs = await paces(rounds);
  const of = (figures: readonly number[]): string => `${Math.round(median(figures))}/s`;
  return {
    value: median(pairs.map(({ here, there }) => there.perSecond / here.perSecond)),
    detail: `${of(pairs.map(({ there }) => there.perSecond))} against ${of(pairs.map(({ here }) => here.perSecond))}`,
  };
}

async function latency(rounds: number): Promise<Figure> {
  const pairs = await paces(rounds);
  const of = (figures: readonly number[]): string => median(figures).toFixed(3);
  return {
    value: median(pairs.map(({ here, there }) => there.p50 - here.p50)),
    detail: `${of(pairs.map(({ there }) => there.p50))} against ${of(pairs.map(({ here }) => here.p50))} ms`,
  };
}

/** The time that an actor of a host takes for its SQL, beside the same actor embedded. */
async function sql(rounds: number, action: "selectMs" | "insertsMs"): Promise<Figure> {
  const pairs: { readonly here: number; readonly there: number }[] = [];
  const timed = async (serving: RemotePart): Promise<number> => {
    await serving.act("notes", "fill", "one");
    for (let warm = 0; warm < 3; warm += 1) await serving.act("notes", action, "one");
    return await serving.act("notes", action, "one");
  };
  for (let round = 0; round < rounds; round += 1) {
    await using embedded = await RemotePart.serve("embedded");
    await using engine = await RemotePart.serve("engine");
    await using _ = await RemotePart.host(engine.endpoint);
    pairs.push({ here: await timed(embedded), there: await timed(engine) });
  }
  const here = median(pairs.map((pair) => pair.here));
  return { value: median(pairs.map(({ there }) => there)), detail: `embedded ${here.toFixed(3)} ms` };
}

/** From the loss of a host to the answer of an actor that ran there; its connection breaks, or it is only silent. */
async function back(signal: "SIGKILL" | "SIGSTOP"): Promise<number> {
  await using engine = await RemotePart.serve("engine");
  await using victim = await RemotePart.host(engine.endpoint);
  await engine.act("counter", "pid", "a");
  await using other = await RemotePart.host(engine.endpoint);
  const since = performance.now();
  process.kill(victim.pid, signal);
  while ((await engine.act("counter", "pid", "a").catch(() => 0)) !== other.pid)
    if (performance.now() - since > 15_000) throw new Error("the actor never came back");
  return performance.now() - since;
}

async function lost(rounds: number): Promise<Figure> {
  const killed: number[] = [];
  const frozen: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    killed.push(await back("SIGKILL"));
    frozen.push(await back("SIGSTOP"));
  }
  const [first, second] = [median(killed), median(frozen)];
  return {
    value: Math.max(first, second),
    detail: `killed ${Math.round(first)} ms, frozen ${Math.round(second)} ms`,
  };
}

/** A call that fails ends the load generator, and the line with it. */
async function moved(rounds: number): Promise<Figure> {
  const times: number[] = [];
  let during = 0;
  for (let round = 0; round < rounds; round += 1) {
    using load = new BenchLoad();
    await using engine = await RemotePart.serve("engine");
    await using first = await RemotePart.host(engine.endpoint);
    const order = { kind: "http", port: engine.port, keys: MOVED, prefix: "m" } as const;
    await load.run({ ...order, callers: 128, mode: "fresh", calls: MOVED, durationMs: 120_000 });
    await using _ = await RemotePart.host(engine.endpoint);
    const since = performance.now();
    const gone = first.ended("SIGTERM").then((code) => {
      if (code !== 0) throw new Error(`the host that was drained ended with ${code}`);
      return performance.now() - since;
    });
    const calls: LoadOrder = { ...order, callers: 32, mode: "add", durationMs: 500 };
    let over = false;
    const timed = gone.finally(() => {
      over = true;
    });
    while (!over) during += (await load.run(calls)).calls;
    times.push((await timed) / 1_000);
  }
  const each = Math.round(during / rounds);
  return { value: median(times), detail: `${each} calls meanwhile, none failed` };
}

async function cold(rounds: number): Promise<Figure> {
  const script = await bundle("./worker.ts");
  const firsts: number[] = [];
  const later: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    await using engine = await RemotePart.serve("engine");
    const [host] = await EdgeHost.start(script, { ENGINE: engine.endpoint, TOKEN: HOSTS_TOKEN });
    await using _ = host;
    for (let n = 0; n < COLD; n += 1) {
      const since = performance.now();
      await engine.act("counter", "increment", `cold${n}`);
      (n === 0 ? firsts : later).push(performance.now() - since);
    }
  }
  return {
    value: median(later),
    detail: `${COLD} actors of a worker, one after the other; the first of them ${median(firsts).toFixed(2)} ms`,
  };
}

/** Lines about remote hosts. */
export const remoteLines: readonly Line[] = [
  {
    name: "remote-actions",
    work: "actions through an engine to a remote Node host, against the same program embedded",
    unit: "ratio",
    target: 0.4,
    better: "greater",
    peers: "none known",
    measure: throughput,
  },
  {
    name: "remote-latency",
    work: "action on a remote Node host, p50 over the same program embedded",
    unit: "ms",
    target: 0.6,
    better: "less",
    peers: "none known",
    measure: latency,
  },
  {
    name: "remote-select",
    work: "SQL point select of an actor on a remote Node host, p50",
    unit: "ms",
    target: 0.25,
    better: "less",
    peers: "none known",
    measure: (rounds) => sql(rounds, "selectMs"),
  },
  {
    name: "remote-inserts",
    work: "1,000 inserts of an actor on a remote Node host, sent together",
    unit: "ms",
    target: 10,
    better: "less",
    peers: "none known",
    measure: (rounds) => sql(rounds, "insertsMs"),
  },
  {
    name: "remote-lost",
    work: "a remote host is killed, or frozen, until an actor of it answers from another",
    unit: "ms",
    target: 3_000,
    better: "less",
    peers: "none known",
    measure: lost,
  },
  {
    name: "remote-moved",
    work: "10,000 awake actors off a host that drains, under calls of which none may fail",
    unit: "s",
    target: 30,
    better: "less",
    peers: "none known",
    measure: moved,
  },
  {
    name: "remote-cold",
    work: "first call of an actor on a host in workerd",
    unit: "ms",
    target: 30,
    better: "less",
    peers: "none known",
    measure: cold,
  },
];
