/**
 * A program's actors on an engine that is elsewhere: the same definitions, and in place of a store and a door one link to
 * the engine.
 */
import type { AnyActorDefinition } from "../actor/definition.ts";
import { runtimeSocketsOver } from "../actor/local/runtime-socket/runtime-socket.ts";
import { PROCESS_POOL } from "../engine/pool.ts";
import { setupErrors } from "../errors.ts";
import { checkKnownOptions } from "../known-options.ts";
import { type DrainOptions, readDrain } from "../remote/drain-options.ts";
import { HostClient } from "../remote/host-client.ts";
import { checkHostPlace } from "../remote/host-place.ts";
import { hostUrl } from "../remote/host-url.ts";
import { answerStart } from "../remote/serverless-host.ts";
import { type RelaySetting, tracingOf } from "../traced/tracing.ts";
import { type HostProcesses, usedHere } from "./host-processes.ts";
import type { Platform } from "./platform.ts";
import { prepare } from "./prepare.ts";
import { checkPlace, type RuntimeChoice } from "./runtime-choice.ts";

/** What a program is started with as a host of an engine. */
export interface ProgramHostOptions {
  /** The engine: `http://127.0.0.1:6420`. Default: TROUPE_ENDPOINT. */
  readonly endpoint?: string;
  /** The engine's `hosts.token`. Default: TROUPE_HOSTS_TOKEN. */
  readonly token?: string;
  /** The name of the namespace that its actors are in. Default: TROUPE_NAMESPACE, or the default one. */
  readonly namespace?: string;
  /** Default: TROUPE_POOL, or "default". */
  readonly pool?: string;
  /** New actors go to the newest version of their pool. Default: TROUPE_PROGRAM_VERSION, or 0. */
  readonly programVersion?: number;
  /** This is a host process of a program that was started with `hostProcesses`: its path and token are enough. */
  readonly processOf?: HostProcesses;
  /** The process is this host's: drain on SIGTERM and SIGINT, and exit; fail when the engine refuses it. Default: true. */
  readonly signals?: boolean;
}

/** A program that runs actors of an engine. */
export interface ProgramHost {
  readonly endpoint: string;
  /** The namespace that its actors are in, where one was named. */
  readonly namespace: string | undefined;
  /** Settles when the host is over: drained, closed, or refused. */
  readonly over: Promise<void>;
  /**
   * Moves its actors to other hosts, without a failed call, and ends it. What hasn't left in `withinMs` (30 s) is lost. Rejects
   * with `config.unknown_option`, `config.invalid_option`: then nothing has happened.
   */
  drain(options?: DrainOptions): Promise<void>;
  /** Ends it; what runs on it is lost. */
  close(): void;
}

/** What of `setup` matters to a host. */
export interface HostedProgram extends RuntimeChoice {
  readonly use: Readonly<Record<string, AnyActorDefinition>>;
  readonly relay?: RelaySetting | undefined;
}

function placeOfProcess({ socket, token }: HostProcesses): ProgramHostOptions {
  return { endpoint: `unix:${socket}`, token, pool: PROCESS_POOL, processOf: { socket, token } };
}

/** Settings that are the engine's to keep: here they would be dropped in silence. */
const ENGINE_KEYS = [
  ...["plugins", "fetch", "hosts", "namespaces", "maxAwakeActors", "rateLimit", "inspector"],
  ...["auth", "allowedHosts", "allowedOrigins", "token"],
];

const hostOptions = ["endpoint", "token", "namespace", "pool", "programVersion", "processOf", "signals"];

/**
 * Starts it; settles when the engine has taken it. Throws `config.not_on_host`, `config.unknown_option`, `config.invalid_option`,
 * `sqlite.unavailable`, and the engine's refusal: `host.wrong_token`, `protocol.incompatible`.
 */
export async function startProgramHost(
  platform: Platform,
  program: HostedProgram,
  options: ProgramHostOptions,
): Promise<ProgramHost> {
  const place = placeOf(platform, program, options);
  const client = openHost(platform, program, place);
  await client.ready;
  const unprepare = prepare(program.use);
  const drain = async (options?: DrainOptions): Promise<void> => await client.drain(readDrain(options));
  const unwatch = options.signals === false ? () => {} : platform.onSignal(() => drain());
  const over = client.over.then(async () => {
    if (client.refusal !== undefined && options.signals !== false) platform.refused();
    unwatch();
    await unprepare();
  });
  return {
    endpoint: place.endpoint,
    namespace: place.namespace,
    over,
    drain,
    close: () => client.close(),
  };
}

/** Answers an engine's orders to start a host, one host for each. Throws as {@link startProgramHost} does, but for refusals. */
export function serverlessHandler(
  platform: Platform,
  program: HostedProgram,
  options: ProgramHostOptions,
): (request: Request) => Promise<Response> {
  const place = placeOf(platform, program, options);
  const { token } = place;
  return (request) =>
    answerStart(request, {
      ...{ env: platform.env(), token },
      start: ({ pool, namespace }) =>
        openHost(platform, program, { ...place, pool, namespace }, "serverless"),
    });
}

/** Where a host belongs. */
type Place = Pick<ProgramHostOptions, "namespace" | "pool" | "programVersion" | "processOf"> & {
  readonly endpoint: string;
  readonly token: string;
};

function placeOf(platform: Platform, program: HostedProgram, options: ProgramHostOptions): Place {
  checkKnownOptions("startHost", options, hostOptions);
  const { processOf } = options;
  const given = processOf === undefined ? { ...platform.engine(), ...options } : placeOfProcess(processOf);
  // The process that has the store is of the same program, and obeys them.
  if (processOf === undefined)
    for (const key of ENGINE_KEYS) if (Object.hasOwn(program, key)) throw setupErrors.notOnHost(key);
  if (processOf === undefined) checkPlace(program, "remote");
  if (processOf === undefined) checkHostPlace(given);
  const { endpoint = "", token = "" } = given;
  return { ...given, endpoint, token };
}

function openHost(
  platform: Platform,
  { use, relay, runtime }: HostedProgram,
  place: Place,
  kind?: "serverless",
): HostClient {
  const env = platform.env();
  const { endpoint, token, namespace, pool = "default", programVersion } = place;
  return new HostClient({
    env,
    use: place.processOf === undefined ? use : usedHere(use),
    onlyWasm: runtime === "wasm",
    ...{ endpoint, token, namespace, pool, programVersion, serverless: kind === "serverless" },
    runtimeSocket: runtimeSocketsOver(platform.localSockets),
    relay: relay === undefined ? undefined : tracingOf(relay, env).relay,
    dial: (signal) => platform.dial(hostUrl(endpoint), signal),
  });
}
