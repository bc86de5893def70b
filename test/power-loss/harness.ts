/**
 * The rounds: start the server, audit every key, load it, kill it at a random moment, put its files to what the disk
 * would hold, start again. All on one data directory, so that each start recovers what the cut before it left, and some
 * starts are cut themselves.
 */
import { join } from "node:path";
import { Child, moment } from "./child.ts";
import { HttpCaller } from "./http-caller.ts";
import { Ledger } from "./ledger.ts";
import { auditAll, type Caller, Load } from "./load.ts";
import type { Random } from "./random.ts";
import { bundleServer } from "./server-bundle.ts";

/** Where a server's files are, and what a cut does to them. */
export interface Ground {
  readonly path: string;
  /** Of the next process. */
  environment(): Record<string, string>;
  /** The process is dead. */
  cut(random: Random): void;
}

export interface RoundsOptions {
  readonly ground: Ground;
  readonly cuts: number;
  readonly random: Random;
  /** Arguments of node before the data directory. Default: the Troupe server beside this file. */
  readonly server?: readonly string[];
  /** Default: plain HTTP. */
  readonly caller?: (endpoint: string) => Caller;
  /** Default: 20 to 300. */
  readonly loadMs?: readonly [least: number, most: number];
  /** Told of every round: for a program run by hand. */
  readonly onRound?: (round: number, ledger: Ledger) => void;
}

export interface Report {
  readonly ledger: Ledger;
  /** Cuts that fell into a start. */
  readonly cutStarts: number;
  /** Empty when every promise was kept. The rounds end with the first problem. */
  readonly problems: readonly string[];
}

export const TROUPE_SERVER: readonly string[] = [bundleServer(join(import.meta.dirname, "server.ts"))];
const LANES = 4;

/** `more`: arguments after the data directory. */
export function startServer(ground: Ground, server = TROUPE_SERVER, more: readonly string[] = []): Child {
  return new Child([...server, ground.path, ...more], ground.environment());
}

export async function runRounds(options: RoundsOptions): Promise<Report> {
  const ledger = new Ledger();
  let cutStarts = 0;
  for (let round = 0; round < options.cuts; round++) {
    options.onRound?.(round, ledger);
    const cutsTheStart = round > 0 && options.random.next() < 0.15;
    if (cutsTheStart) {
      cutStarts++;
      await cutDuringStart(options);
      continue;
    }
    const problems = await oneRound(options, ledger, round);
    if (problems.length > 0)
      return { ledger, cutStarts, problems: problems.map((text) => `round ${round}: ${text}`) };
  }
  return { ledger, cutStarts, problems: await audited(options, ledger) };
}

async function cutDuringStart({ ground, server, random }: RoundsOptions): Promise<void> {
  await using child = startServer(ground, server);
  await child.line("starting");
  await moment(random.between(0, 60));
  await child.kill();
  ground.cut(random);
}

async function oneRound(options: RoundsOptions, ledger: Ledger, round: number): Promise<string[]> {
  const { ground, server, random, loadMs = [20, 300] } = options;
  await using child = startServer(ground, server);
  const endpoint = await ready(child);
  if (typeof endpoint !== "string") return endpoint.problems;
  const caller = (options.caller ?? httpCaller)(endpoint);
  try {
    const problems = await auditAll(caller, ledger);
    if (problems.length > 0) return problems;
    const load = new Load(caller, ledger, { keys: keysOf(round, ledger, random), lanes: LANES });
    await moment(random.between(...loadMs));
    if (child.hasExited) problems.push(`the server ended under load: ${child.errors}`);
    await child.kill();
    await load.stop();
    ground.cut(random);
    return problems;
  } finally {
    caller.close();
  }
}

/** A server that can't start on what a cut left has lost everything. */
async function ready(child: Child): Promise<string | { problems: string[] }> {
  return child.line("ready ").catch((error: Error) => ({ problems: [`LOST: no start. ${error.message}`] }));
}

function httpCaller(endpoint: string): Caller {
  return new HttpCaller(endpoint);
}

/** Two keys that are new, and six of the old ones. */
function keysOf(round: number, ledger: Ledger, random: Random): string[] {
  const old = ledger.keys;
  const keys = new Set([`k${round}a`, `k${round}b`]);
  for (let n = 0; n < 6 && old.length > 0; n++) keys.add(random.pick(old));
  return [...keys];
}

/** One more start, and what is wrong after it. */
export async function audited(
  { ground, server, caller = httpCaller }: RoundsOptions,
  ledger: Ledger,
): Promise<string[]> {
  await using child = startServer(ground, server);
  const endpoint = await ready(child);
  if (typeof endpoint !== "string") return endpoint.problems;
  const last = caller(endpoint);
  try {
    return await auditAll(last, ledger);
  } finally {
    last.close();
  }
}
