/**
 * A remote host where there is no disk: it opens a link to the engine, and runs actors as long as the link lives.
 */
import { limits } from "@troupe/protocol";
import type { Relay } from "@troupe/relay";
import type { AnyActorDefinition } from "../actor/definition.ts";
import { checkKnownOptions } from "../known-options.ts";
import { HostClient } from "../remote/host-client.ts";
import { hostUrl } from "../remote/host-url.ts";
import { edgeEnv } from "./env.ts";
import { dialWebSocket } from "./web-socket-link.ts";

/** What a remote host is started with. */
export interface RemoteHostOptions {
  readonly use: Readonly<Record<string, AnyActorDefinition>>;
  /** The engine: `http://127.0.0.1:6420`. */
  readonly endpoint: string;
  /** The engine's `hosts.token`. */
  readonly token: string;
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
   * `withinMs` (default: 30 s) is lost.
   */
  drain(options?: { readonly withinMs?: number }): Promise<void>;
  /** Ends it; what runs on it is lost. */
  close(): void;
  /**
   * An HTTP answer that lasts as long as the host, for platforms that stop a worker when its request is answered: server-sent
   * events, `ready` or `refused` first, then a `.` every ten seconds.
   */
  response(): Response;
}

const BEAT_MS = 10_000;

const hostOptions = ["use", "endpoint", "token", "pool", "programVersion", "relay"];

/**
 * Starts a remote host. It connects again by itself when the engine was away. Throws `config.unknown_option`,
 * `config.invalid_option`.
 */
export function startHost(options: RemoteHostOptions): RemoteHost {
  checkKnownOptions("startHost", options, hostOptions);
  const env = edgeEnv();
  const client = new HostClient({
    env,
    use: options.use,
    token: options.token,
    pool: options.pool ?? "default",
    relay: options.relay,
    programVersion: options.programVersion,
    dial: (signal) => dialWebSocket(hostUrl(options.endpoint), signal),
  });
  return {
    ready: client.ready,
    over: client.over,
    drain: ({ withinMs = limits.hostDrainMs } = {}) => client.drain(withinMs),
    close: () => client.close(),
    response: () => lasting(client),
  };
}

function lasting(client: HostClient): Response {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const writer = writable.getWriter();
  const text = new TextEncoder();
  const say = (word: string): void =>
    void writer.write(text.encode(`data: ${word}\n\n`)).catch(() => client.close());
  client.ready.then(
    () => say("ready"),
    (error: unknown) => say(`refused: ${String(error)}`),
  );
  const beat = setInterval(() => say("."), BEAT_MS);
  void client.over.then(() => {
    clearInterval(beat);
    return writer.close().catch(() => {});
  });
  // Compressed on the way, the first lines would wait for the last ones.
  const headers = {
    "content-type": "text/event-stream",
    "content-encoding": "identity",
    "cache-control": "no-transform",
  };
  return new Response(readable, { headers });
}
