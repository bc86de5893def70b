/**
 * What a plugin that misbehaves takes from one beside it, on each carrier that has a process or a thread for it.
 *
 * A p99 says as much of the machine as of the neighbour. So what is compared was measured in turns: calls alone for a while,
 * as long beside, and so on, all of a round's pooled; what else the machine does hits both alike. Each figure stands beside
 * two controls. The same pairs with nobody doing harm: what that is away from 1 is the machine's noise. And beside a process that
 * has nothing to do with any of it and burns a core: what a machine with one core less costs a call, which no carrier can
 * keep from its actors.
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
import { type Act, withRegistry } from "../plugin-registry.ts";
import { median, quantile } from "../statistics.ts";

const harms = ["floods", "stalls", "spins"] as const;

type Harm = (typeof harms)[number];

/** What a neighbour is measured beside: a harm, an unrelated process that burns a core, or nothing at all. */
type Beside = Harm | "burns" | "alone";

/** Of one round, each way. */
const BLOCKS = 4;
/** How long a call of the one that does harm is waited for. */
const HARM_MS = 200;
const BLOCK_MS = HARM_MS + 100;

/** Pairs of p99s: beside over alone. */
async function ratio(act: Act, beside: Beside): Promise<number> {
  const times = { alone: [] as number[], beside: [] as number[] };
  for (let block = 0; block < BLOCKS; block += 1) {
    await calls(act, times.alone);
    const other = started(act, beside);
    try {
      await calls(act, times.beside);
    } finally {
      await other?.stop();
    }
  }
  return p99(times.beside) / p99(times.alone);
}

function started(act: Act, beside: Beside): Running | undefined {
  if (beside === "alone") return undefined;
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
  return await withRegistry(use, async (act) => {
    await calls(act, []);
    const ratios = new Map<Beside, number[]>();
    for (let round = 0; round < rounds; round += 1) {
      for (const beside of ["alone", "burns", ...harms] as const)
        ratios.set(beside, [...(ratios.get(beside) ?? []), await ratio(act, beside)]);
    }
    const of = (beside: Beside): number => median(ratios.get(beside) ?? []);
    const each = harms.map((harm) => `${harm} ${of(harm).toFixed(2)}`).join(", ");
    return {
      value: Math.max(...harms.map(of)),
      detail: `${each}; alone over alone ${of("alone").toFixed(2)}, beside an unrelated process that burns a core ${of("burns").toFixed(2)}`,
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
