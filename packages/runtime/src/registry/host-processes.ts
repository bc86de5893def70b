/**
 * A program whose actors run in several processes of one machine: one has the gateway and the store, the others have the
 * code. It is the way of remote hosts, in a pool of its own, at a socket that only this user can open.
 */
import type { AnyActorDefinition } from "../actor/definition.ts";
import { PROCESS_POOL } from "../engine/pool.ts";
import type { HostsConfig } from "../remote/host-tokens.ts";
import { remoteActor } from "../remote/remote-actor.ts";

/** How a program's host processes come to it. */
export interface HostProcesses {
  /** The path of a Unix socket, in a folder that nobody else can write to. */
  readonly socket: string;
  /** What they show. */
  readonly token: string;
}

type Use = Readonly<Record<string, AnyActorDefinition>>;

/** The definitions of the process that has the store: what has its code in this program runs in the others. */
export function usedElsewhere(use: Use): Use {
  const placed = Object.entries(use).map(([name, definition]) => {
    const { behaviour } = definition;
    if (behaviour.kind !== "local") return [name, definition] as const;
    const database = behaviour.database !== undefined;
    return [name, remoteActor({ pool: PROCESS_POOL, database })] as const;
  });
  return Object.fromEntries(placed);
}

/** The definitions of one that has the code. */
export function usedHere(use: Use): Use {
  return Object.fromEntries(Object.entries(use).filter(([, { behaviour }]) => behaviour.kind === "local"));
}

/** The hosts of a program and its own processes. */
export function withProcesses(config: HostsConfig | undefined, { token }: HostProcesses): HostsConfig {
  return {
    ...config,
    tokens: [...(config?.tokens ?? []), { token, pool: PROCESS_POOL }],
    // One that was started again has nothing to do otherwise.
    spread: [...(config?.spread ?? []), PROCESS_POOL],
  };
}
