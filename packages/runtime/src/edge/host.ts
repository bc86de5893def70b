/**
 * A remote host where there is no disk: it opens a link to the engine, and runs actors as long as the link lives.
 */
import type { Relay } from "@troupe/relay";
import type { AnyActorDefinition } from "../actor/definition.ts";
import { HostClient } from "../remote/host-client.ts";
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
  /** What its actors' own calls run under: `c.tool`, `c.llm`. Their actions are scopes of the engine's relay. */
  readonly relay?: Relay;
}

/** A host that runs. */
export interface RemoteHost {
  /** Settles when the engine has taken the host; rejects with its refusal. */
  readonly ready: Promise<void>;
  /** Settles when the host is over: closed, or refused. */
  readonly over: Promise<void>;
  /** Ends it; what runs on it is lost. */
  close(): void;
  /**
   * An HTTP answer that lasts as long as the host, for platforms that stop a worker when its request is answered: server-sent
   * events, `ready` or `refused` first, then a `.` every ten seconds.
   */
  response(): Response;
}

const BEAT_MS = 10_000;

/** Starts a remote host. It connects again by itself when the engine was away. */
export function startHost(options: RemoteHostOptions): RemoteHost {
  const env = edgeEnv();
  const client = new HostClient({
    env,
    use: options.use,
    token: options.token,
    pool: options.pool ?? "default",
    relay: options.relay,
    dial: (signal) => dialWebSocket(hostUrl(options.endpoint), signal),
  });
  return {
    ready: client.ready,
    over: client.over,
    close: () => client.close(),
    response: () => lasting(client),
  };
}

function hostUrl(endpoint: string): string {
  const url = new URL("/hosts/connect", endpoint);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return url.href;
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
