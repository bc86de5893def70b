/**
 * Kills under a client that lives on: the server comes back at the same port, the client reconnects, sends what it had
 * not sent, and fails what it had sent with `client.outcome_unknown`. A write that it sent again would be there twice.
 */
import { moment } from "../power-loss/child.ts";
import { audited, type Ground, startServer } from "../power-loss/harness.ts";
import type { Ledger } from "../power-loss/ledger.ts";
import { Load } from "../power-loss/load.ts";
import type { Random } from "../power-loss/random.ts";
import { ClientCaller } from "./client-caller.ts";

export interface ClientKillOptions {
  readonly ground: Ground;
  readonly ledger: Ledger;
  readonly kills: number;
  readonly random: Random;
  readonly server: readonly string[];
  /** False: stateless calls alone. */
  readonly sockets: boolean;
  /** Told of every kill. */
  readonly onKill?: (kill: number) => void;
}

const KEYS = ["client-a", "client-b", "client-c", "client-d"];
/** Between two audits: the sums of the writes of unknown outcome tell one choice of them from another. */
const KILLS_PER_AUDIT = 10;

/** What is wrong after the kills; the ledger has the figures. */
export async function runClientKills(options: ClientKillOptions): Promise<string[]> {
  for (let left = options.kills; left > 0; left -= KILLS_PER_AUDIT) {
    const problems = await someKills(options, options.kills - left, Math.min(left, KILLS_PER_AUDIT));
    if (problems.length > 0) return problems;
  }
  return [];
}

async function someKills(options: ClientKillOptions, before: number, kills: number): Promise<string[]> {
  const { ground, ledger, random, server, sockets, onKill } = options;
  let child = startServer(ground, server);
  let caller: ClientCaller | undefined;
  try {
    const endpoint = await child.line("ready ");
    const port = new URL(endpoint).port;
    caller = new ClientCaller(endpoint, (lane) => sockets && (lane === "l0" || lane === "l1"));
    const load = new Load(caller, ledger, { keys: KEYS, lanes: 4, throughUnknown: true });
    for (let kill = 0; kill < kills; kill++) {
      onKill?.(before + kill);
      await moment(random.between(20, 300));
      await child.kill();
      ground.cut(random);
      child = startServer(ground, server, [port]);
      await child.line("ready ");
    }
    await load.stop();
  } finally {
    caller?.close();
    await child.kill();
  }
  return audited({ ...options, cuts: 0 }, ledger);
}
