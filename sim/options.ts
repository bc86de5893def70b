/**
 * Swarm options: what one seed's world is like.
 *
 * A world in which everything may happen rarely lets any one thing happen often. So each seed draws which faults exist
 * at all, how frequent they are, and what the users do; over many seeds all combinations come up.
 */
import { type Ill, ills } from "./plugin/ills.ts";
import type { Random } from "./world/random.ts";

/** What a user may do, with its weight; 0 means never. */
export interface Mix {
  readonly append: number;
  readonly once: number;
  readonly pair: number;
  readonly read: number;
  readonly fail: number;
  readonly slow: number;
  readonly announce: number;
  readonly transfer: number;
  readonly remind: number;
  readonly recur: number;
  readonly cancel: number;
  readonly flush: number;
  readonly linger: number;
  readonly nap: number;
  readonly die: number;
  readonly poison: number;
  readonly stash: number;
  readonly reconnect: number;
  readonly burst: number;
  readonly note: number;
  readonly job: number;
  readonly weave: number;
  readonly vault: number;
}

/** One seed's world. Times are milliseconds, rates are probabilities. */
export interface Options {
  readonly actors: number;
  readonly clients: number;
  readonly usersPerClient: number;
  readonly opsPerUser: number;
  readonly thinkMs: number;
  readonly mix: Mix;
  /** Of the users, those who talk over a connection. */
  readonly connected: number;
  /** Of the users, those beside whom somebody talks over a raw socket. */
  readonly talkers: number;
  /** Of the users, those beside whom somebody follows a session, if there is a vault. */
  readonly followers: number;
  /** Of the actors, those with connect hooks that write. */
  readonly halls: number;
  /** Of the others, those that take messages. */
  readonly mills: number;
  /** Of the others, those that have workflows. */
  readonly looms: number;
  /** Of the actors, those that have a database; the rest is for the others. */
  readonly vaults: number;
  readonly sleepTimeoutMs: number;
  readonly graceMs: number;
  readonly maxAwake: number | undefined;
  /** Start, connect and sleep hooks wait about this long; 0: they don't. */
  readonly hookMs: number;
  readonly writeOnWake: boolean;
  /** Hall actors have a `run` that writes now and then. */
  readonly run: boolean;

  /** Times that the server dies. */
  readonly crashes: number;
  /** Of the crashes, those that take the power with them. */
  readonly power: number;
  /** Times that the server is stopped and started in good order. */
  readonly restarts: number;
  readonly downMs: number;
  readonly syncMs: number;
  /** Of the syncs, those that take hundreds of times as long. */
  readonly slowSync: number;
  /** Of the starts, those before which somebody moves an actor's own file away, until the next one. */
  readonly loseFile: number;
  readonly failWrite: number;
  readonly failSync: number;
  readonly latencyMs: number;
  readonly breakLink: number;
  /** Of what a follower does, those times that its links break: how it goes on is what it is there for. */
  readonly cutFollower: number;
  /** Of the broken links, those that one or both ends don't hear of. */
  readonly halfOpen: number;
  readonly loseRequest: number;
  readonly loseAnswer: number;
  readonly timerJitter: number;
  /** Times that the wall clock is set. */
  readonly clockJumps: number;

  /** The actors' code is behind actor/v1. */
  readonly carried: boolean;
  /** Of worlds with carried actors, those whose code is on remote hosts: so many; 0 for none. */
  readonly remoteHosts: number;
  /** Of the carriers, or hosts, those that are lost. */
  readonly loseCarrier: number;
  /** Their code is a plugin's, whose sessions may fall ill. */
  readonly plugged: boolean;
  /** Of the plugin's sessions, those that do. */
  readonly faultyPlugin: number;
  /** What they may have. */
  readonly ills: readonly Ill[];
  /** Their SQL runs in helper processes: so long has each text of it. */
  readonly statementMs: number | undefined;
  /** As many processes. */
  readonly helpers: number;
  /** Of what helpers are asked, that which they die of. */
  readonly loseHelper: number;
  /** Of their answers, those that come too late. */
  readonly lateHelper: number;
}

/** Draws the options of a seed. */
export function drawOptions(random: Random): Options {
  const faulty = random.chance(0.9);
  // An open connection keeps its actor awake: with less room than connected users some would wait for ever.
  const maxAwake = random.chance(0.15) ? 1 + random.below(3) : undefined;
  const some = (probability: number, value: number): number =>
    faulty && random.chance(probability) ? value : 0;
  const drawn = {
    actors: 1 + random.below(5),
    clients: 1 + random.below(3),
    usersPerClient: 1 + random.below(4),
    opsPerUser: 4 + random.below(10),
    thinkMs: random.pick([0.5, 5, 50, 400]),
    mix: drawMix(random),
    connected: maxAwake === undefined ? random.pick([0, 0.5, 0.5, 1]) : 0,
    talkers: maxAwake === undefined ? random.pick([0, 0, 0.5, 1]) : 0,
    halls: random.pick([0, 0.5, 1]),
    mills: random.pick([0, 0.5, 1]),
    looms: random.pick([0, 0.5, 1]),
    vaults: random.pick([0, 0, 0.7]),
    sleepTimeoutMs: random.pick([1, 20, 300, 5_000]),
    graceMs: random.pick([30, 1_000, 15_000]),
    maxAwake,
    hookMs: random.pick([0, 0, 3, 40]),
    writeOnWake: random.chance(0.4),
    run: random.chance(0.3),
    crashes: some(0.7, 1 + random.below(5)),
    power: random.pick([0, 0.5, 1]),
    restarts: some(0.25, 1 + random.below(2)),
    downMs: random.pick([1, 50, 3_000]),
    syncMs: random.pick([0.1, 1, 8]),
    slowSync: some(0.3, 0.05),
    failWrite: some(0.3, random.pick([0.02, 0.15])),
    failSync: some(0.15, 0.01),
    latencyMs: random.pick([0.05, 1, 30]),
    breakLink: some(0.4, random.pick([0.005, 0.03])),
    halfOpen: random.pick([0, 0.3, 1]),
    loseRequest: some(0.3, 0.05),
    loseAnswer: some(0.3, 0.08),
    timerJitter: random.pick([0, 0.5]),
    clockJumps: some(0.25, 1 + random.below(3)),
    carried: random.chance(0.3),
    loseCarrier: some(0.6, 0.7),
    statementMs: random.chance(0.7) ? 300 : undefined,
    helpers: random.pick([1, 2, 8]),
    loseHelper: some(0.6, random.pick([0.005, 0.03])),
    lateHelper: some(0.5, random.pick([0.003, 0.02])),
    remoteHosts: random.pick([0, 1, 2]),
    followers: maxAwake === undefined ? random.pick([0.5, 0.5, 1]) : 0,
    plugged: random.chance(0.5),
    faultyPlugin: some(0.8, random.pick([0.3, 1])),
    ills: Array.from({ length: 1 + random.below(3) }, () => random.pick(ills)),
    cutFollower: some(0.8, random.pick([0.1, 0.3])),
    loseFile: some(0.4, 0.5),
  };
  // A carried actor calls no other one.
  return drawn.carried ? { ...drawn, mix: { ...drawn.mix, transfer: 0 } } : drawn;
}

function drawMix(random: Random): Mix {
  const weight = (probability: number, most: number): number =>
    random.chance(probability) ? 1 + random.below(most) : 0;
  return {
    append: 2 + random.below(6),
    once: weight(0.6, 4),
    pair: weight(0.6, 4),
    read: weight(0.6, 4),
    fail: weight(0.4, 2),
    slow: weight(0.5, 3),
    announce: weight(0.6, 6),
    transfer: weight(0.5, 4),
    remind: weight(0.5, 4),
    recur: weight(0.3, 2),
    cancel: weight(0.5, 2),
    flush: weight(0.4, 2),
    linger: weight(0.3, 2),
    nap: weight(0.4, 2),
    die: weight(0.25, 1),
    poison: weight(0.2, 1),
    reconnect: weight(0.4, 2),
    burst: weight(0.4, 2),
    stash: weight(0.3, 2),
    note: weight(0.6, 6),
    job: weight(0.5, 4),
    weave: weight(0.5, 3),
    vault: weight(0.8, 8),
  };
}
