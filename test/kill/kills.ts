/** Kill rounds on one data directory: over HTTP and WebSocket in turn, then under the real client. */
import { type Report, runRounds } from "../power-loss/harness.ts";
import { HttpCaller } from "../power-loss/http-caller.ts";
import type { Ledger } from "../power-loss/ledger.ts";
import type { Random } from "../power-loss/random.ts";
import { runClientKills } from "./client-kills.ts";
import { PlainGround } from "./plain-ground.ts";
import { SocketCaller } from "./socket-caller.ts";

export interface KillOptions {
  readonly kills: number;
  /** Of them under the client. */
  readonly clientKills: number;
  readonly random: Random;
  readonly server: readonly string[];
  /** False: no WebSocket, for a server that has none. */
  readonly sockets: boolean;
  readonly onRound?: (round: number, ledger: Ledger) => void;
}

export async function runKills(options: KillOptions): Promise<Report> {
  const { kills, clientKills, random, server, sockets, onRound } = options;
  using ground = new PlainGround();
  let starts = 0;
  const report = await runRounds({
    ground,
    cuts: kills - clientKills,
    random,
    server,
    caller: (endpoint) =>
      sockets && ++starts % 2 === 0 ? new SocketCaller(endpoint) : new HttpCaller(endpoint),
    ...(onRound && { onRound }),
  });
  if (report.problems.length > 0) return report;
  const { ledger } = report;
  const onKill = (kill: number): void => onRound?.(kills - clientKills + kill, ledger);
  const problems = await runClientKills({ ...options, ground, ledger, kills: clientKills, onKill });
  return { ...report, problems };
}
