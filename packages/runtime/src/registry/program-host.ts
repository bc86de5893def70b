/**
 * A program's actors on an engine that is elsewhere: the same definitions, and in place of a store and a door one link to
 * the engine.
 */
import { limits } from "@troupe/protocol";
import type { AnyActorDefinition } from "../actor/definition.ts";
import { configErrors } from "../errors.ts";
import { checkKnownOptions } from "../known-options.ts";
import { HostClient } from "../remote/host-client.ts";
import { hostUrl } from "../remote/host-url.ts";
import { type RelaySetting, tracingOf } from "../traced/tracing.ts";
import type { Platform } from "./platform.ts";

/** What a program is started with as a host of an engine. */
export interface ProgramHostOptions {
  /** The engine: `http://127.0.0.1:6420`. Default: TROUPE_ENDPOINT. */
  readonly endpoint?: string;
  /** The engine's `hosts.token`. Default: TROUPE_HOSTS_TOKEN. */
  readonly token?: string;
  /** Default: TROUPE_POOL, or "default". */
  readonly pool?: string;
  /** New actors go to the newest version of their pool. Default: TROUPE_PROGRAM_VERSION, or 0. */
  readonly programVersion?: number;
  /** Drain on SIGTERM and SIGINT, and exit. Default: true. */
  readonly signals?: boolean;
}

/** A program that runs actors of an engine. */
export interface ProgramHost {
  readonly endpoint: string;
  /** Settles when the host is over: drained, closed, or refused. */
  readonly over: Promise<void>;
  /** Moves its actors to other hosts, without a failed call, and ends it. What hasn't left in `withinMs` (30 s) is lost. */
  drain(options?: { readonly withinMs?: number }): Promise<void>;
  /** Ends it; what runs on it is lost. */
  close(): void;
}

/** What of `setup` matters to a host. */
export interface HostedProgram {
  readonly use: Readonly<Record<string, AnyActorDefinition>>;
  readonly relay?: RelaySetting | undefined;
}

/** Settings that are the engine's to keep: here they would be dropped in silence. */
const ENGINE_KEYS = [
  ...["plugins", "fetch", "hosts", "maxAwakeActors", "rateLimit", "inspector"],
  ...["auth", "allowedHosts", "allowedOrigins", "token"],
];

const hostOptions = ["endpoint", "token", "pool", "programVersion", "signals"];

/**
 * Starts it; settles when the engine has taken it. Throws `config.not_on_host`, `config.unknown_option`, `config.invalid_option`, and the engine's
 * refusal: `host.wrong_token`, `protocol.incompatible`.
 */
export async function startProgramHost(
  platform: Platform,
  program: HostedProgram,
  options: ProgramHostOptions,
): Promise<ProgramHost> {
  checkKnownOptions("startHost", options, hostOptions);
  const { endpoint, token, pool, programVersion } = { ...platform.engine(), ...options };
  for (const key of ENGINE_KEYS) if (Object.hasOwn(program, key)) throw configErrors.notOnHost(key);
  if (!endpoint || !URL.canParse(endpoint))
    throw configErrors.invalidOption("endpoint", "an engine's address");
  if (!token) throw configErrors.invalidOption("token", "the engine's `hosts.token`");
  const env = platform.env();
  const client = new HostClient({
    env,
    ...{ use: program.use, token, pool: pool ?? "default", programVersion },
    relay: program.relay === undefined ? undefined : tracingOf(program.relay, env).relay,
    dial: (signal) => platform.dial(hostUrl(endpoint), signal),
  });
  await client.ready;
  const drain = (withinMs: number = limits.hostDrainMs): Promise<void> => client.drain(withinMs);
  const unwatch = options.signals === false ? () => {} : platform.onSignal(() => drain());
  void client.over.then(unwatch);
  return {
    endpoint,
    over: client.over,
    drain: ({ withinMs } = {}) => drain(withinMs),
    close: () => client.close(),
  };
}
