/**
 * A remote host where there is no disk: it opens a link to the engine, and runs actors as long as the link lives.
 */
import type { Relay } from "@troupe/relay";
import type { AnyActorDefinition } from "../actor/definition.ts";
import { checkKnownOptions } from "../known-options.ts";
import { type DrainOptions, readDrain } from "../remote/drain-options.ts";
import { HostClient } from "../remote/host-client.ts";
import { checkHostPlace } from "../remote/host-place.ts";
import { hostUrl } from "../remote/host-url.ts";
import { lasting } from "../remote/lasting.ts";
import { edgeEnv } from "./env.ts";
import { dialWebSocket } from "./web-socket-link.ts";

/** What a remote host is started with. */
export interface RemoteHostOptions {
  readonly use: Readonly<Record<string, AnyActorDefinition>>;
  /** The engine: `http://127.0.0.1:6420`. */
  readonly endpoint: string;
  /** The engine's `hosts.token`. */
  readonly token: string;
  /** The name of the namespace that its actors are in. Default: the default one. */
  readonly namespace?: string;
  /** Default: "default". */
  readonly pool?: string;
  /** The version of the program: new actors go to the newest one of the pool. Default: 0. */
  readonly programVersion?: number;
  /** What its actors' own calls run under: `c.tool`, `c.llm`. Their actions are scopes of the engine's relay. */
  readonly relay?: Relay;
}

/** A host that runs. */
export interface RemoteHost {
  /** Settles when the engine has taken the host; rejects with its refusal. */
  readonly ready: Promise<void>;
  /** Settles when the host is over: closed, or refused. */
  readonly over: Promise<void>;
  /**
   * Moves its actors to other hosts, without a failed call, and ends it. Settles when it is over; what hasn't left in
   * `withinMs` (default: 30 s) is lost. Rejects with `config.unknown_option`, `config.invalid_option`: then nothing has happened.
   */
  drain(options?: DrainOptions): Promise<void>;
  /** Ends it; what runs on it is lost. */
  close(): void;
  /**
   * An HTTP answer that lasts as long as the host, for platforms that stop a worker when its request is answered: server-sent
   * events, `ready` or `refused` first, then a `.` every ten seconds.
   */
  response(): Response;
}

const hostOptions = ["use", "endpoint", "token", "namespace", "pool", "programVersion", "relay"];

/**
 * Starts a remote host. It connects again by itself when the engine was away. Throws `config.unknown_option`,
 * `config.invalid_option`.
 */
export function startHost(options: RemoteHostOptions): RemoteHost {
  checkHostOptions("startHost", options);
  const env = edgeEnv();
  const client = hostClient(options);
  return {
    ready: client.ready,
    over: client.over,
    drain: async (options) => await client.drain(readDrain(options)),
    close: () => client.close(),
    response: () => lasting(client, env),
  };
}

/** Throws `config.unknown_option`, `config.invalid_option`. */
export function checkHostOptions(name: string, options: RemoteHostOptions): void {
  checkKnownOptions(name, options, hostOptions);
  checkHostPlace(options);
}

/** A host by its options. */
export function hostClient(options: RemoteHostOptions, kind?: "serverless"): HostClient {
  const { use, token, namespace, pool = "default", relay, programVersion, endpoint } = options;
  return new HostClient({
    env: edgeEnv(),
    ...{ use, endpoint, token, namespace, pool, relay, programVersion },
    serverless: kind === "serverless",
    dial: (signal) => dialWebSocket(hostUrl(endpoint), signal),
  });
}
