/**
 * The actors of the simulated world.
 *
 * A ledger keeps a log of marks, and next to it two numbers and a key that count them: each turn that writes a mark writes
 * all four, in different ways, so that a turn which is there by half can be seen on disk. A hall is a ledger that its
 * users knock at: it has every connect hook, each writes, and some halls have a `run`. A mill is a ledger that also takes
 * messages (`mill.ts`), a loom one that has workflows (`loom.ts`), a vault one that has a database
 * (`vault.ts`), and in it a session (`session.ts`).
 */
import { UserError } from "@troupe/base";
import {
  type ActorContext,
  type AnyActorDefinition,
  actor,
  event,
  type MissedRunPolicy,
  type OverlapPolicy,
  type Types,
  type UniversalWebSocket,
  workflow,
} from "@troupe/runtime";
import { markOf } from "../checkers/tokens.ts";
import { type LedgerState, putCount, write } from "./ledger-state.ts";
import { loomQueues, startWeaving, weave } from "./loom.ts";
import { grind, millQueues } from "./mill.ts";
import { sessionActions, sessionEvents } from "./session.ts";
import type { Stage } from "./stage.ts";
import { talk, type Visit } from "./talk.ts";
import { vaultActions, vaultDatabase } from "./vault.ts";

/** What a user shows at the door. */
export interface Knock {
  readonly token: string;
}

interface Vars {
  /** Actions of this activation so far. */
  calls: number;
}

const events = {
  tick: event<[seq: number, mark: string]>(),
  /** Retained, all that a run has. */
  kept: event<[seq: number, mark: string]>({ retain: 1_000 }),
  /** Retained, a few. */
  few: event<[seq: number, mark: string]>({ retain: 2 }),
};
type Bag = Types<LedgerState, Knock, Visit, Vars, undefined, typeof events>;
/** Without `conns`, whose types differ before and after somebody is connected. */
type Ledger = Omit<ActorContext<Bag>, "conns">;
/** One that wakes has the connections that its last life slept under. */
type Waking = Ledger & { readonly conns: { readonly size: number } };

/** The names under which the actors are registered. */
export const actorNames = ["ledger", "hall", "mill", "loom", "vault"] as const;

/** The definitions of a world. */
export function makeActors(stage: Stage): Readonly<Record<(typeof actorNames)[number], AnyActorDefinition>> {
  const { options } = stage.world;
  const base = {
    types: {} as { connParams: Knock },
    events,
    createState: () => createState(stage),
    createVars: () => ({ calls: 0 }) as Vars,
    connState: { lives: 0 } as Visit,
    onWake: (c: Waking) => onWake(stage, c),
    onSleep: (c: Ledger) => onSleep(stage, c),
    options: {
      sleepTimeout: options.sleepTimeoutMs,
      sleepGracePeriod: options.graceMs,
      actionTimeout: 20_000,
    },
    onWebSocket: (c: Ledger & { readonly conn: { readonly state: Visit } }, websocket: UniversalWebSocket) =>
      talk(stage, c, websocket),
    // What a user shows at the door is new each time.
    callerIdentity: () => "users",
    actions: makeActions(stage),
  };
  return {
    ledger: actor(base),
    hall: actor({
      ...base,
      ...doorHooks(stage),
      ...(options.run ? { run: (c: Ledger) => run(stage, c) } : {}),
    }),
    mill: actor({ ...base, queues: millQueues, run: (c) => grind(stage, c) }),
    loom: actor({
      ...base,
      queues: loomQueues,
      run: workflow(async () => {}, {
        workflows: { weave: (ctx, token: string) => weave(stage, ctx, token) },
      }),
    }),
    vault: actor({
      ...base,
      db: vaultDatabase,
      events: { ...events, ...sessionEvents },
      actions: { ...base.actions, ...vaultActions(stage), ...sessionActions(stage) },
    }),
  };
}

function position(c: Ledger): { id: string; at: number } {
  return { id: c.actorId, at: c.state.log.length };
}

async function createState(stage: Stage): Promise<LedgerState> {
  stage.startHook();
  await pause(stage);
  stage.startHook();
  return { log: [], count: 0, mirror: 0, seq: 0, kept: 0, bag: new Map() };
}

async function onWake(stage: Stage, c: Waking): Promise<void> {
  stage.wakes(c.name, c.key);
  if (c.conns.size > 0) stage.outlived("a connection outlived a sleep");
  stage.startHook();
  if (!Array.isArray(c.state.log)) stage.world.fail("creation", `actor ${c.actorId} wakes without its state`);
  const { count } = c.state;
  const key = Number(await c.kv.get("count"));
  if (key !== count) stage.world.fail("keys", `actor ${c.actorId} wakes with count ${count} and key ${key}`);
  if (stage.world.options.writeOnWake) {
    write(c, "wake");
    await c.saveState({ immediate: true });
  }
  await pause(stage);
  stage.startHook();
}

async function onSleep(stage: Stage, c: Ledger): Promise<void> {
  stage.sleeps(c.name, c.key);
  await pause(stage);
  if (stage.world.options.writeOnWake) write(c, "sleep");
}

async function pause(stage: Stage): Promise<void> {
  const { hookMs } = stage.world.options;
  if (hookMs > 0) await stage.sleep(hookMs);
}

function doorHooks(stage: Stage) {
  return {
    onBeforeConnect: async (c: Ledger, params: Knock | undefined) => {
      // Other actors come without knocking.
      if (params !== undefined) write(c, markOf(params.token, "knock"));
      await pause(stage);
    },
    onConnect: async (c: Ledger, conn: { readonly id: string }) => {
      write(c, `hello-${conn.id}`);
      await pause(stage);
    },
    onDisconnect: async (c: Ledger, conn: { readonly id: string }) => {
      await pause(stage);
      write(c, `bye-${conn.id}`);
    },
  };
}

/** Ticks five times, then lets the actor sleep. */
async function run(stage: Stage, c: Ledger): Promise<void> {
  for (let round = 0; round < 5 && !c.aborted; round += 1) {
    write(c, "run");
    await stage.sleep(100);
  }
}

/** What users can ask for. Each action's first argument is its token. */
function makeActions(stage: Stage) {
  return { ...oneTurnActions(stage), ...waitingActions(stage), ...scheduleActions(stage) };
}

function oneTurnActions(stage: Stage) {
  const { world } = stage;
  return {
    append: (c: Ledger, token: string) => {
      c.vars.calls += 1;
      write(c, markOf(token));
      return position(c);
    },
    /** For calls that have a key: nothing here keeps it from happening twice. One that pauses is several turns. */
    once: async (c: Ledger, token: string, pauseMs: number) => {
      if (pauseMs > 0) {
        write(c, markOf(token, "part"));
        await stage.sleep(pauseMs);
      }
      write(c, markOf(token));
      return position(c);
    },
    /** One turn, although it awaits: what it awaits is settled. */
    pair: async (c: Ledger, token: string) => {
      c.state.log.push(markOf(token));
      await Promise.resolve();
      c.state.count += 1;
      await Promise.resolve();
      await Promise.resolve();
      c.state.mirror = c.state.log.length;
      putCount(c);
      return position(c);
    },
    read: (c: Ledger) => ({ id: c.actorId, log: [...c.state.log] }),
    /** Undoes nothing by failing. */
    fail: (c: Ledger, token: string) => {
      write(c, markOf(token));
      throw new UserError("as asked", { code: "as_asked", metadata: position(c) });
    },
    announce: (c: Ledger, token: string) => {
      c.state.seq += 1;
      write(c, markOf(token));
      c.broadcast("tick", c.state.seq, markOf(token));
      c.state.kept += 1;
      c.broadcast("kept", c.state.kept, markOf(token));
      c.broadcast("few", c.state.kept, markOf(token));
      return position(c);
    },
    /** The mark says that the workflow is there, so it comes behind it. */
    weave: async (c: Ledger, token: string) => {
      await startWeaving(c, token);
      write(c, markOf(token, "start"));
      return position(c);
    },
    nap: (c: Ledger) => c.sleep(),
    die: (c: Ledger, token: string) => {
      write(c, markOf(token));
      c.destroy();
      return position(c);
    },
    /** Writes where no trap sees it: into a built-in. */
    stash: (c: Ledger, token: string) => {
      c.state.bag.set(token, markOf(token));
      return { id: c.actorId };
    },
    /** Leaves a value in the state that can't be stored: the whole batch must fail, and nothing else. */
    poison: (c: Ledger, token: string) => {
      world.counters.add("a batch that can't be encoded");
      write(c, markOf(token));
      c.state.bag.set("poison", () => token);
      return position(c);
    },
  };
}

/** Those that wait, or let others wait. */
function waitingActions(stage: Stage) {
  const { world } = stage;
  return {
    slow: (c: Ledger, token: string, turns: number, pauseMs: number) =>
      slow(stage, c, { token, turns, pauseMs }),
    transfer: (c: Ledger, token: string, name: string, key: string) => transfer(c, token, name, key),
    receive: (c: Ledger, token: string) => {
      stage.mustBeSafe(markOf(token, "out"), "the callee of a transfer");
      world.counters.add("a transfer arrived");
      write(c, markOf(token, "in"));
    },
    flush: async (c: Ledger, token: string) => {
      write(c, markOf(token));
      await c.saveState({ immediate: true });
      stage.mustBeSafe(markOf(token), "code behind saveState({ immediate: true })");
      return position(c);
    },
    linger: (c: Ledger, token: string, delayMs: number) => {
      write(c, markOf(token));
      void c.keepAwake(stage.sleep(delayMs).then(() => write(c, markOf(token, "late"))));
      c.waitUntil(stage.sleep(delayMs / 2));
      return position(c);
    },
  };
}

function scheduleActions(stage: Stage) {
  const { world } = stage;
  return {
    remind: async (c: Ledger, token: string, delayMs: number) => {
      stage.scheduled(token, Math.floor(world.wallNow()) + delayMs);
      const retry = { maxAttempts: 2, initialDelayMs: 50 };
      const schedule = await c.schedule.set({ delayMs, action: "ring", args: [token], retry });
      write(c, markOf(token, "sched"));
      return { ...position(c), schedule };
    },
    ring: async (c: Ledger, token: string, info: { readonly attempt?: number }) => {
      stage.fired(token);
      if (c.vars.calls === 0) world.counters.add("an alarm woke a sleeping actor");
      c.vars.calls += 1;
      // Some have done nothing yet when a crash or a stop cuts them off.
      if (token.endsWith("5")) await pause(stage);
      write(c, markOf(token, "ring"));
      await pause(stage);
      if (info.attempt !== undefined) world.counters.add("a schedule was tried again");
      else if (failsFirst(token)) throw new UserError("the first try fails");
    },
    recur: async (
      c: Ledger,
      token: string,
      interval: number,
      overlap: OverlapPolicy,
      missed: MissedRunPolicy,
    ) => {
      await c.cron.every({ name: token, interval, action: "beat", args: [token], overlap, missed });
      write(c, markOf(token, "recur"));
      return position(c);
    },
    /** The third run ends the job. */
    beat: async (c: Ledger, token: string, info: { readonly scheduledAt: number }) => {
      stage.beat(token, info.scheduledAt);
      write(c, markOf(token, `beat${info.scheduledAt}`));
      const beats = c.state.log.filter((mark) => mark.startsWith(`${token}:beat`));
      if (beats.length >= 3 && (await c.cron.delete(token))) write(c, markOf(token, "end"));
      await pause(stage);
    },
    cancel: async (c: Ledger, token: string, schedule: string) => {
      const cancelled = await c.schedule.cancel(schedule);
      if (cancelled) write(c, markOf(token, "cancel"));
      return { cancelled, ...position(c) };
    },
  };
}

/** Of the schedules every third one, so that others are once. */
export function failsFirst(token: string): boolean {
  return Number(token.slice(1)) % 3 === 0;
}

async function slow(
  stage: Stage,
  c: Ledger,
  how: { readonly token: string; readonly turns: number; readonly pauseMs: number },
): Promise<{ id: string; at: number }> {
  for (let turn = 0; turn < how.turns; turn += 1) {
    if (turn > 0) await stage.sleep(how.pauseMs);
    if (c.aborted) stage.world.counters.add("sleep while an action pends");
    write(c, markOf(how.token, turn));
  }
  return position(c);
}

async function transfer(c: Ledger, token: string, name: string, key: string): Promise<unknown> {
  write(c, markOf(token, "out"));
  const other = c.client().getOrCreate(name, [key]);
  await other.action({ name: "receive", args: [token] });
  write(c, markOf(token, "done"));
  return position(c);
}
