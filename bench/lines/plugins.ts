/**
 * What plugins cost a whole runtime: durable actions beside those of an actor in TypeScript, and dynamic actors that wake.
 */
import { type DynamicActorOptions, dynamicActor, pluginActor } from "@troupe/plugins";
import { type AnyActorDefinition, actor, event } from "@troupe/runtime";
import { type Built, cExample, wasmExample } from "../../packages/plugins/test/support/built.ts";
import type { Figure, Line, Unmeasured } from "../line.ts";
import { type Act, residentOfChildren, withRegistry } from "../plugin-registry.ts";
import { median, quantile } from "../statistics.ts";

const CALLERS = 32;
/** A round takes a second or two: what is compiled meanwhile is a small part of it. */
const CALLS = 40_000;

/** What the plugins' counters do. */
const counter = actor({
  state: { count: 0 },
  events: { changed: event<number>() },
  actions: {
    increment: (c, by: number) => {
      c.state.count += by;
      c.broadcast("changed", c.state.count);
      return c.state.count;
    },
  },
});

/** Durable actions a second, each caller at an actor of its own. */
async function rate(act: Act, name: string): Promise<number> {
  const caller = async (key: number): Promise<void> => {
    for (let n = 0; n < CALLS / CALLERS; n += 1) await act(name, String(key), "increment", 1);
  };
  const before = performance.now();
  await Promise.all(Array.from({ length: CALLERS }, (_, key) => caller(key)));
  return CALLS / ((performance.now() - before) / 1_000);
}

async function durable(
  built: Built,
  definition: (path: string) => AnyActorDefinition,
  rounds: number,
): Promise<Figure | Unmeasured> {
  if (built.missing !== undefined) return { missing: built.missing };
  return await withRegistry({ typescript: counter, plugin: definition(built.path) }, async (act) => {
    const rates = { typescript: [] as number[], plugin: [] as number[] };
    for (let round = -1; round < rounds; round += 1) {
      for (const name of ["typescript", "plugin"] as const) {
        const reached = await rate(act, name);
        if (round >= 0) rates[name].push(reached);
      }
    }
    const [typescript, plugin] = [median(rates.typescript), median(rates.plugin)];
    return { value: plugin / typescript, detail: `${Math.round(plugin)}/s of ${Math.round(typescript)}/s` };
  });
}

const small = 'state: { n: 0 }, actions: { add: (c) => (c.state.n += 1), hello: () => "hello" }';

function dynamic(config: string, options: Partial<DynamicActorOptions> = {}): AnyActorDefinition {
  return dynamicActor({
    source: `import { actor } from "troupe"; export default actor({ ${config} });`,
    ...options,
  });
}

/** Between two cold starts. */
const REST_MS = 100;

async function coldStart(rounds: number): Promise<Figure> {
  return await withRegistry({ small: dynamic(small) }, async (act) => {
    for (let n = 0; n < 10; n += 1) await act("small", `warm${n}`, "hello");
    const times: number[] = [];
    for (let n = 0; n < 20 * rounds; n += 1) {
      const before = performance.now();
      await act("small", `new${n}`, "hello");
      times.push(performance.now() - before);
      // Actors that wake now and then find an isolate that was made ahead.
      await new Promise((resolve) => void setTimeout(resolve, REST_MS));
    }
    times.sort((a, b) => a - b);
    const [p50, p99] = [quantile(times, 0.5), quantile(times, 0.99)];
    return { value: p50, detail: `p99 ${p99.toFixed(1)} ms, ${times.length} starts` };
  });
}

const HELD = 60;

async function memory(): Promise<Figure> {
  return await withRegistry({ small: dynamic(small) }, async (act) => {
    const hold = async (from: number, to: number): Promise<void> => {
      for (let n = from; n < to; n += 1) await act("small", String(n), "add");
    };
    await hold(0, 10);
    const before = residentOfChildren();
    await hold(10, 10 + HELD);
    return { value: (residentOfChildren() - before) / HELD, detail: `${HELD} that are awake` };
  });
}

/** Lines about plugins in a whole runtime. */
export const pluginLines: readonly Line[] = [
  {
    name: "plugin-durable-native",
    work: `durable actions of an actor in a native library, ${CALLERS} in flight, over TypeScript's`,
    unit: "ratio",
    target: 0.7,
    better: "greater",
    peers: "the same actor in TypeScript, in the same runtime",
    measure: async (rounds) =>
      await durable(await cExample("counter"), (library) => pluginActor({ library }), rounds),
  },
  {
    name: "plugin-durable-wasm",
    work: `durable actions of an actor in WebAssembly, ${CALLERS} in flight, over TypeScript's`,
    unit: "ratio",
    target: 0.7,
    better: "greater",
    peers: "the same actor in TypeScript, in the same runtime",
    measure: async (rounds) =>
      await durable(await wasmExample("counter"), (wasm) => pluginActor({ wasm }), rounds),
  },
  {
    name: "dynamic-cold",
    work: "first call to a new dynamic actor, its process running, p50",
    unit: "ms",
    target: 15,
    better: "less",
    peers: "an isolate of workerd under 5 ms, without an actor's storage",
    measure: coldStart,
  },
  {
    name: "dynamic-memory",
    work: "memory of an awake dynamic actor in its process",
    unit: "bytes",
    target: 3_000_000,
    better: "less",
    peers: "an isolate alone about 1.5 MB",
    measure: memory,
  },
];
