/**
 * What a plugin that misbehaves takes from one beside it, on each carrier that has a process or a thread for it.
 *
 * A p99 says as much of the machine as of the neighbour. So what is compared was measured in turns: calls alone for a while,
 * as long beside each harm, and so on, there and back, all of a round's pooled; what else the machine does hits all alike. Each
 * figure stands beside two controls. Alone once more: what that is away from 1 is the machine's noise. And beside a process that
 * has nothing to do with any of it and burns a core: what a machine with one core less costs a call, which no carrier can
 * keep from its actors.
 *
 * An event that nobody listens to leaves no actor in TypeScript: so a flood is listened to. What spins is measured last: it goes
 * on until its carrier ends it, longer than it is waited for, and would be beside what comes next.
 *
 * A while is longer than a call that stalls or spins is waited for. In a shorter one the only thing that is seen of a stall
 * is that a call begins, which is the same for one that behaves, and that alone is one call in a hundred.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { dynamicActor, pluginActor } from "@troupe/plugins";
import type { AnyActorDefinition } from "@troupe/runtime";
import { wasmPlugin } from "../../packages/plugins/test/support/built.ts";
import type { Figure, Line, Unmeasured } from "../line.ts";
import { type Act, type Listen, withRegistry } from "../plugin-registry.ts";
import { median, quantile } from "../statistics.ts";

const harms = ["floods", "stalls", "spins"] as const;

/** What a neighbour is measured beside: nothing at all, that again, an unrelated process that burns a core, or a harm. */
const besides = ["alone", "again", "burns", ...harms] as const;

type Beside = (typeof besides)[number];

/** Of one round, there or back. */
const BLOCKS = 8;
/** What was ended is there again by then. */
const RECOVERY_MS = 10_000;
/** How long a call of the one that does harm is waited for. */
const HARM_MS = 100;
const BLOCK_MS = HARM_MS + 50;
/** Messages of a flood that are heard in a block, at least: half of those of one call. */
const HEARD = 100;

/** What a round has measured. */
interface Round {
  /** The p99 beside each. */
  readonly p99s: Readonly<Record<Beside, number>>;
  /** Messages of the flood that were heard in one block. */
  readonly heard: number;
}

async function round(act: Act, listen: Listen): Promise<Round> {
  const times: Record<Beside, number[]> = {
    alone: [],
    again: [],
    burns: [],
    floods: [],
    stalls: [],
    spins: [],
  };
  const turns = besides.filter((beside) => beside !== "spins");
  let heard = 0;
  for (let block = 0; block < BLOCKS; block += 1)
    for (const beside of block % 2 === 0 ? turns : turns.toReversed())
      if (beside === "floods") heard += await callsBesideFlood(act, listen, times.floods);
      else await callsBeside(act, beside, times[beside]);
  for (let block = 0; block < BLOCKS; block += 1) await callsBeside(act, "spins", times.spins);
  await recovered(act);
  const p99s = {
    alone: p99(times.alone),
    again: p99(times.again),
    burns: p99(times.burns),
    floods: p99(times.floods),
    stalls: p99(times.stalls),
    spins: p99(times.spins),
  };
  return { p99s, heard: heard / BLOCKS };
}

/** How many messages of the flood were heard. */
async function callsBesideFlood(act: Act, listen: Listen, times: number[]): Promise<number> {
  let heard = 0;
  const listener = await listen("hostile", "a", "told", () => {
    heard += 1;
  });
  await callsBeside(act, "floods", times);
  await listener.end();
  return heard;
}

async function callsBeside(act: Act, beside: Beside, times: number[]): Promise<void> {
  const other = started(act, beside);
  try {
    await calls(act, times);
  } finally {
    await other?.stop();
  }
}

async function recovered(act: Act): Promise<void> {
  for (const end = performance.now() + RECOVERY_MS; performance.now() < end; ) {
    const answer = await act("hostile", "a", "hello").catch(() => undefined);
    if (answer === "hello") return;
    await new Promise((resolve) => void setTimeout(resolve, HARM_MS));
  }
}

function started(act: Act, beside: Beside): Running | undefined {
  if (beside === "alone" || beside === "again") return undefined;
  return beside === "burns" ? burner() : repeated(() => act("hostile", "a", beside));
}

async function calls(act: Act, times: number[]): Promise<void> {
  const end = performance.now() + BLOCK_MS;
  for (let before = performance.now(); before < end; before = performance.now()) {
    await act("neighbour", "a", "hello");
    times.push(performance.now() - before);
  }
}

function p99(times: number[]): number {
  return quantile(
    times.sort((a, b) => a - b),
    0.99,
  );
}

async function neighbour(rounds: number, use: Readonly<Record<Role, AnyActorDefinition>>): Promise<Figure> {
  return await withRegistry(use, async (act, listen) => {
    // Until the engines have compiled what they will: the first calls are the slowest, and so is a first flood.
    for (let block = 0; block < BLOCKS; block += 1) {
      await calls(act, []);
      await callsBesideFlood(act, listen, []);
    }
    const measured: Round[] = [];
    while (measured.length < rounds) measured.push(await round(act, listen));
    const of = (beside: Beside): number => median(measured.map(({ p99s }) => p99s[beside] / p99s.alone));
    const heard = median(measured.map((one) => one.heard));
    if (heard < HEARD) throw new Error(`A flood that isn't heard harms nobody: ${heard} messages in a block`);
    const each = harms.map((harm) => `${harm} ${of(harm).toFixed(2)}`).join(", ");
    return {
      value: Math.max(...harms.map(of)),
      detail: `${each}; alone over alone ${of("again").toFixed(2)}, beside an unrelated process that burns a core ${of("burns").toFixed(2)}; of the flood ${Math.round((heard * 1_000) / BLOCK_MS)} messages/s were heard`,
    };
  });
}

/** Who is measured, and who does harm: each with its own process, thread or isolate. */
type Role = "neighbour" | "hostile";

/** What goes on until it is stopped. */
interface Running {
  stop(): Promise<void>;
}

/** For no longer than a block and what it may be late. */
function burner(): Running {
  const program = `const end = Date.now() + ${10 * BLOCK_MS}; while (Date.now() < end);`;
  const child = spawn(process.execPath, ["-e", program], { stdio: "ignore" });
  const exited = once(child, "exit");
  return {
    stop: async () => {
      child.kill("SIGKILL");
      await exited;
    },
  };
}

/** Does it again and again, whatever comes of it. */
function repeated(work: () => Promise<unknown>): Running {
  let stopped = false;
  const loop = (async () => {
    while (!stopped) {
      await work().catch(() => undefined);
      await new Promise((resolve) => void setImmediate(resolve));
    }
  })();
  return {
    stop: () => {
      stopped = true;
      return loop;
    },
  };
}

/** Of the one that does harm. The neighbour has the usual time: on a busy machine it may need it. */
const harmful = { actionTimeout: HARM_MS };

/** The same in TypeScript; a worker that spins for good would be no neighbour but a smaller machine. */
function program(spins: string, options: object): string {
  return `actor({
    events: { told: event() },
    actions: {
      hello: () => "hello",
      floods: (c) => {
        for (let n = 0; n < 1_000; n += 1) c.log.debug("x".repeat(100));
        for (let n = 0; n < 200; n += 1) c.broadcast("told", "x".repeat(100));
      },
      stalls: () => new Promise(() => {}),
      spins: () => { ${spins} },
    },
    options: ${JSON.stringify(options)},
  })`;
}

function isolateNeighbour(rounds: number): Promise<Figure> {
  const define = (options: object): AnyActorDefinition => {
    const definition = program("for (;;);", options);
    return dynamicActor({ source: `import { actor, event } from "troupe"; export default ${definition};` });
  };
  return neighbour(rounds, { neighbour: define({}), hostile: define(harmful) });
}

async function wasmNeighbour(rounds: number): Promise<Figure | Unmeasured> {
  const built = await wasmPlugin("hostile");
  if (built.missing !== undefined) return { missing: built.missing };
  const { path: wasm } = built;
  return await neighbour(rounds, {
    neighbour: pluginActor({ wasm }),
    hostile: pluginActor({ wasm, options: harmful }),
  });
}

async function workerNeighbour(rounds: number): Promise<Figure> {
  const folder = mkdtempSync(join(tmpdir(), "troupe-bench-neighbour-"));
  try {
    const spins = `const end = Date.now() + ${HARM_MS}; while (Date.now() < end);`;
    const source = `import { actor, event } from ${JSON.stringify(import.meta.resolve("@troupe/runtime"))};
      import { serveWorker } from ${JSON.stringify(import.meta.resolve("@troupe/plugins/worker"))};
      await serveWorker({ name: "hostile", actors: { hostile: ${program(spins, {})} } });`;
    writeFileSync(join(folder, "main.ts"), source);
    writeFileSync(join(folder, "troupe-plugin.toml"), manifest);
    return await neighbour(rounds, {
      neighbour: pluginActor({ plugin: folder }),
      hostile: pluginActor({ plugin: folder, options: harmful }),
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const manifest = `manifest_version = 1
capabilities = ["actors"]
[plugin]
id = "hostile"
version = "1.0.0"
kind = "worker"
[compat]
troupe = ">=0.0.0"
[load]
runtime = "node"
entrypoint = "main.ts"
`;

function line(name: string, what: string, measure: Line["measure"]): Line {
  return {
    name,
    work: `p99 of ${what} beside one that floods, stalls or spins, over its p99 alone; the worst of the three`,
    unit: "ratio",
    target: 2,
    better: "less",
    peers: "a spinning neighbour on one thread: the length of its spin",
    measure,
  };
}

/** Lines about plugins beside others. */
export const neighbourLines: readonly Line[] = [
  line("dynamic-neighbour", "a dynamic actor", isolateNeighbour),
  line("wasm-neighbour", "an actor in WebAssembly", wasmNeighbour),
  line("worker-neighbour", "an actor of a worker", workerNeighbour),
];
