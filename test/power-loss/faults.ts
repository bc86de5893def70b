/**
 * Stories of a disk that fails: a server under load meets an error at the n-th call, and is then cut and started again
 * on a sound disk. Each tells what the callers got, how the process ended, and what the audit found.
 */
import { type Child, type ChildExit, moment } from "./child.ts";
import type { CutGround } from "./cuts.ts";
import { audited, startServer, TROUPE_SERVER } from "./harness.ts";
import { HttpCaller } from "./http-caller.ts";
import { Ledger } from "./ledger.ts";
import { Load } from "./load.ts";
import type { Random } from "./random.ts";

export interface FaultOptions {
  readonly ground: CutGround;
  readonly random: Random;
  readonly server?: readonly string[];
  /** As in TROUPE_SHIM_FAIL. */
  readonly fail: string;
}

export interface FaultReport {
  readonly ledger: Ledger;
  /** Undefined when the process lived on and was killed by the test. */
  readonly exit: ChildExit | undefined;
  /** Calls that the shim made to fail. */
  readonly faults: number;
  /** Writes acknowledged after the last fault. */
  readonly acknowledgedAfter: number;
  /** Calls of an actor that wrote nothing, made and answered while the disk failed. */
  readonly neighbourReads: number;
  readonly problems: readonly string[];
  /** What the process said, for the message of a failed test. */
  readonly errors: string;
}

const KEYS = ["a", "b", "c", "d", "e", "f"];
const PATIENCE_MS = 60_000;

/** The process must end by itself. */
export async function failUntilExit(options: FaultOptions): Promise<FaultReport> {
  return story(options, async ({ child }) => {
    await Promise.race([child.exited, moment(PATIENCE_MS)]);
    return { neighbourReads: 0, acknowledgedAfter: 0 };
  });
}

/** The process must live: goes on until `faults` calls have failed and `more` writes were acknowledged after that. */
export async function failAndGoOn(
  options: FaultOptions & { faults: number; more: number },
): Promise<FaultReport> {
  return story(options, async ({ child, caller, ledger }) => {
    const deadline = performance.now() + PATIENCE_MS;
    let neighbourReads = 0;
    let before = 0;
    while (!child.hasExited && performance.now() < deadline) {
      const over = options.ground.counters.faults >= options.faults;
      if (!over) before = ledger.acknowledged;
      else if (ledger.acknowledged - before >= options.more) break;
      await caller.read("neighbour");
      if (!over) neighbourReads++;
    }
    return { neighbourReads, acknowledgedAfter: ledger.acknowledged - before };
  });
}

/** The fault may hit the start itself, which may then fail; nothing acknowledged may be lost by it. */
export async function failFromTheStart(
  { ground, random, server, fail }: FaultOptions,
  ledger: Ledger,
): Promise<FaultReport> {
  ground.options = { fail, syncDelayUs: 300 };
  const child = startServer(ground, server);
  const endpoint = await child.line("ready ").catch(() => undefined);
  if (endpoint !== undefined) {
    const caller = new HttpCaller(endpoint);
    const load = new Load(caller, ledger, { keys: KEYS, lanes: 4 });
    await Promise.race([child.exited, moment(random.between(50, 150))]);
    await child.kill();
    await load.stop();
    caller.close();
  }
  return conclude({ ground, random, ...(server && { server }) }, child, ledger, {
    neighbourReads: 0,
    acknowledgedAfter: 0,
  });
}

interface Scene {
  readonly child: Child;
  readonly caller: HttpCaller;
  readonly ledger: Ledger;
}

type Seen = Pick<FaultReport, "neighbourReads" | "acknowledgedAfter">;

async function story(options: FaultOptions, act: (scene: Scene) => Promise<Seen>): Promise<FaultReport> {
  const { ground, server = TROUPE_SERVER, fail } = options;
  const ledger = new Ledger();
  ground.options = { fail, armed: false, syncDelayUs: 1000 };
  await using child = startServer(ground, server);
  const caller = new HttpCaller(await child.line("ready "));
  try {
    const load = new Load(caller, ledger, { keys: KEYS, lanes: 4 });
    await caller.read("neighbour");
    ground.arm();
    const seen = await act({ child, caller, ledger });
    const stopped = load.stop();
    if (!child.hasExited) await stopped;
    return await conclude(options, child, ledger, seen);
  } finally {
    caller.close();
  }
}

async function conclude(
  options: Omit<FaultOptions, "fail">,
  child: Child,
  ledger: Ledger,
  seen: Seen,
): Promise<FaultReport> {
  const exit = child.hasExited ? await child.exited : undefined;
  await child.kill();
  const { faults } = options.ground.counters;
  options.ground.cut(options.random);
  options.ground.options = {};
  const problems = await audited({ ...options, cuts: 0 }, ledger);
  return { ledger, exit, faults, problems, errors: child.errors, ...seen };
}
