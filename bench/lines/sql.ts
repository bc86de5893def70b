/**
 * SQL: what a statement costs inside an action, and what actors with a database of their own carry.
 */
import type { Figure, Line } from "../line.ts";
import type { StatementCost } from "../notes.ts";
import { BenchLoad, BenchServer } from "../processes.ts";
import { median } from "../statistics.ts";

/** Awake at once: each has four descriptors, and a process may have no more than 20,000 on many machines. */
const NEW_ACTORS = 4_000;
/** Shorter, and a fifth of what the server does is to compile what it runs. */
const WARM_MS = 6_000;

async function act<Output>(server: BenchServer, action: string): Promise<Output> {
  const answer = await fetch(
    `http://127.0.0.1:${server.port}/actor/notes/action/${action}?key=one&method=getOrCreate`,
    { method: "POST", headers: { "content-type": "application/json" }, body: "{}" },
  );
  const body = (await answer.json()) as { readonly output: Output };
  if (!answer.ok) throw new Error(JSON.stringify(body));
  return body.output;
}

async function costs(rounds: number, action: "selects" | "inserts"): Promise<readonly StatementCost[]> {
  const all: StatementCost[] = [];
  for (let round = 0; round < rounds; round++) {
    await using server = await BenchServer.start("troupe");
    await act(server, "fill");
    all.push(await act<StatementCost>(server, action));
  }
  return all;
}

function detail(all: readonly StatementCost[], what: string): string {
  const actors = median(all.map(({ actorUs }) => actorUs));
  const floors = median(all.map(({ floorUs }) => floorUs));
  return `${actors.toFixed(2)} against ${floors.toFixed(2)} µs, ${what}`;
}

async function selects(rounds: number): Promise<Figure> {
  const all = await costs(rounds, "selects");
  const value = median(all.map(({ actorUs, floorUs }) => actorUs / floorUs));
  return { value, detail: detail(all, "2,000 reads by their key in one action") };
}

async function inserts(rounds: number): Promise<Figure> {
  const all = await costs(rounds, "inserts");
  const value = median(all.map(({ actorUs, floorUs }) => actorUs - floorUs));
  return { value, detail: detail(all, "both in one transaction, before its end") };
}

async function durableActions(rounds: number): Promise<Figure> {
  using load = new BenchLoad();
  const rates: number[] = [];
  const cpu: number[] = [];
  const bytes: number[] = [];
  const order = { kind: "http", actor: "notes", keys: 100, callers: 256, mode: "add" } as const;
  for (let round = 0; round < rounds; round++) {
    await using server = await BenchServer.start("troupe");
    await load.run({ ...order, port: server.port, durationMs: WARM_MS });
    await server.usage();
    const { calls, seconds } = await load.run({ ...order, port: server.port, durationMs: 2_000 });
    const usage = await server.usage();
    rates.push(calls / seconds);
    cpu.push(usage.cpuUs / calls);
    bytes.push(usage.writtenBytes / calls);
  }
  return { value: median(rates), cpuUs: median(cpu), bytes: median(bytes), detail: "256 callers" };
}

async function newActors(rounds: number): Promise<Figure> {
  using load = new BenchLoad();
  // Removed together, behind the last round: ext4 without a journal makes no file in the place of one that was removed less than 35 s
  // ago, and looks at each of those places before it finds another. The thousands of files of one round cost the next a third.
  await using servers = new AsyncDisposableStack();
  const times: number[] = [];
  const order = { kind: "http", actor: "notes", keys: 1, callers: 256, mode: "fresh" } as const;
  for (let round = 0; round < rounds; round++) {
    const server = servers.use(await BenchServer.start("troupe"));
    const create = (calls: number, prefix: string) =>
      load.run({ ...order, port: server.port, durationMs: 300_000, calls, prefix });
    await create(500, "warm");
    const { seconds } = await create(NEW_ACTORS, "many");
    times.push((seconds * 10_000) / NEW_ACTORS);
  }
  return {
    value: median(times),
    detail: `a file, a table and a row each; 256 callers; from ${NEW_ACTORS} of them`,
  };
}

/** Lines about actors with a database. */
export const sqlLines: readonly Line[] = [
  {
    name: "sql-select",
    work: "SQL point select inside an action, against node:sqlite alone",
    unit: "ratio",
    target: 1.5,
    better: "less",
    peers: "none known",
    measure: selects,
  },
  {
    name: "sql-insert",
    work: "each of 10,000 inserts in one action, over node:sqlite in one transaction",
    unit: "us",
    target: 0.6,
    better: "less",
    peers: "none known",
    measure: inserts,
  },
  {
    name: "sql-actions",
    work: "durable SQL actions, 100 actors with a database each",
    unit: "perSecond",
    target: 6_000,
    better: "greater",
    peers: "none known",
    measure: durableActions,
  },
  {
    name: "sql-new-actors",
    work: "10,000 new actors with a database",
    unit: "s",
    target: 25,
    better: "less",
    peers: "none known",
    measure: newActors,
  },
];
