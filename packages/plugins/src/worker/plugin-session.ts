/**
 * Plugin session: the plugin's side of plugin/v1, whatever carries it.
 *
 * Hello is answered by Ready; a version that isn't ours by Failed. Each Invoke has one answer, unless it was cancelled:
 * then nobody wants one. Goodbye, and a host that is gone, let the calls that run end by themselves. What is said to actors
 * is their guest's. What goes around a call asks for the rest of it by Next; a stream is written as the host asks for it.
 */
import { TroupeError } from "@troupe/base";
import {
  type CarriedError,
  decodePayload,
  encodeDeclaration,
  encodePayload,
  LogLevel,
  toCarriedError,
} from "@troupe/protocol/actor/v1";
import {
  encodingNumber,
  type Hello,
  type HostFrame,
  type Invoke,
  OWN_CODE,
  PLUGIN_VERSIONS,
  type PluginFrame,
} from "@troupe/protocol/plugin/v1";
import { kindRow, middlewareKindOf, propagationContextFromJson } from "@troupe/relay";
import type { Guest } from "@troupe/runtime/guest";
import { pluginErrors } from "../errors.ts";
import { ChunkStreams, streamOf } from "../session/chunk-streams.ts";
import { HostHandle, HostLink } from "./host-handle.ts";
import { PluginNexts } from "./plugin-nexts.ts";
import type { WorkerContext, WorkerMiddleware, WorkerPlugin } from "./worker-plugin.ts";

const ENCODING = "cbor";

/** Answers a host. */
export class PluginSideSession {
  readonly #plugin: WorkerPlugin;
  readonly #send: (frame: PluginFrame) => void;
  /** Calls that run, by number. */
  readonly #running = new Map<number, AbortController>();
  readonly #streams: ChunkStreams;
  readonly #nexts: PluginNexts;
  readonly #link: HostLink;
  /** Undefined: the plugin has no actors, or wasn't greeted yet. */
  #guest: Guest | undefined;

  constructor(plugin: WorkerPlugin, send: (frame: PluginFrame) => void) {
    this.#plugin = plugin;
    this.#send = send;
    this.#streams = new ChunkStreams(ENCODING, (body) => send({ body }));
    this.#nexts = new PluginNexts(ENCODING, send, this.#streams);
    this.#link = new HostLink(ENCODING, send);
  }

  heard({ body }: HostFrame): void {
    switch (body?.$case) {
      case "hello":
        void this.#greet(body.value);
        return;
      case "invoke":
        void this.#invoke(body.value);
        return;
      case "actor":
        return this.#guest?.receive(body.value);
      case "cancelInvoke":
        return this.#cancel(body.value.invoke);
      case "nextResult":
        return this.#nexts.heard(body.value);
      case "hostResult":
        return this.#link.heard(body.value);
      case "chunk":
      case "chunkEnd":
      case "chunkCredit":
        this.#streams.heard(body);
        return;
      case "ping":
        return this.#send({ body: { $case: "pong", value: { number: body.value.number } } });
      default:
        // A newer host may say more than we know.
        return;
    }
  }

  /** The host is gone: nobody waits for anything. */
  ended(): void {
    for (const invoke of this.#running.keys()) this.#cancel(invoke);
    this.#guest?.lost(pluginErrors.closed());
    this.#link.ended();
  }

  async #greet({ versions, config }: Hello): Promise<void> {
    const version = PLUGIN_VERSIONS.find((ours) => versions.includes(ours));
    if (version === undefined) {
      const error = new TroupeError(
        "plugin",
        "version_unsupported",
        `This plugin speaks plugin/v1's session in version ${PLUGIN_VERSIONS.join(", ")}`,
      );
      return this.#fail(error);
    }
    try {
      await this.#plugin.start?.(configOf(config));
      await this.#makeGuest();
    } catch (error) {
      return this.#fail(error);
    }
    const { name, version: pluginVersion = "0.0.0", middleware = [] } = this.#plugin;
    this.#send({
      body: {
        $case: "ready",
        value: {
          version,
          encoding: encodingNumber(ENCODING),
          name,
          pluginVersion,
          actors: (this.#guest?.declarations ?? []).map(encodeDeclaration),
          middleware: middleware.map(({ kind, name, priority = 0 }) => ({
            kind: kindRow(kind).wire,
            name,
            priority,
          })),
        },
      },
    });
    this.#sayReady();
  }

  /** Nobody waits for it, and it may not end a program that the plugin is only a part of. */
  #sayReady(): void {
    try {
      this.#plugin.ready?.(new HostHandle(this.#link, 0));
    } catch (error) {
      this.#link.log(LogLevel.ERROR, `ready: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  async #makeGuest(): Promise<void> {
    const { actors } = this.#plugin;
    if (actors === undefined) return;
    const { guestOf } = await import("./plugin-guest.ts");
    this.#guest = guestOf(actors, this.#send, this.#link);
  }

  /** No encoding was chosen yet: it is JSON. */
  #fail(error: unknown): void {
    this.#send({ body: { $case: "failed", value: { error: toCarriedError(error, "json") } } });
  }

  async #invoke(call: Invoke): Promise<void> {
    const { invoke } = call;
    const abort = new AbortController();
    this.#running.set(invoke, abort);
    const answered = await this.#outcome(call, abort.signal);
    if (!this.#running.has(invoke)) return;
    const { chunks, ...outcome } = answered;
    const stream = chunks !== undefined;
    this.#send({ body: { $case: "invokeResult", value: { invoke, ...outcome, stream } } });
    if (stream) await this.#streams.write({ invoke, next: 0 }, chunks);
    this.#running.delete(invoke);
    this.#nexts.end(invoke);
  }

  async #outcome(call: Invoke, signal: AbortSignal): Promise<Outcome> {
    try {
      const { kind, name } = call;
      const answer = await this.#answer(call, signal);
      if (middlewareKindOf(kind) === "llm_stream_execution_intercept")
        return { payload: NOTHING, error: undefined, chunks: streamOf(answer, name) };
      return { payload: encodePayload(answer, ENCODING), error: undefined };
    } catch (error) {
      return { payload: NOTHING, error: toCarriedError(error, ENCODING) };
    }
  }

  #answer({ kind, name, payload, scope, invoke }: Invoke, signal: AbortSignal): unknown {
    if (kind === OWN_CODE) return this.#link.run(name, decodePayload(payload, ENCODING), { signal, scope });
    const known = middlewareKindOf(kind);
    const middleware = this.#plugin.middleware?.find((one) => one.kind === known && one.name === name);
    if (known === undefined || middleware === undefined)
      throw new TroupeError("plugin", "undeclared", `There is no middleware "${name}" of kind ${kind}`);
    const context = {
      signal,
      scope: scope === "" ? undefined : propagationContextFromJson(scope),
      host: new HostHandle(this.#link, invoke),
    };
    const next = (input: unknown): Promise<unknown> => this.#nexts.call(invoke, input);
    const given = kindRow(known).around ? { ...context, next } : context;
    return handle(middleware, decodePayload(payload, ENCODING), given);
  }

  #cancel(invoke: number): void {
    this.#running.get(invoke)?.abort();
    this.#running.delete(invoke);
    this.#nexts.end(invoke);
  }
}

interface Outcome {
  readonly payload: Uint8Array;
  readonly error: CarriedError | undefined;
  /** The answer is a stream. */
  readonly chunks?: AsyncIterable<unknown>;
}

const NOTHING = new Uint8Array(0);

function configOf(config: Uint8Array): unknown {
  return config.byteLength === 0 ? undefined : JSON.parse(new TextDecoder().decode(config));
}

/** The host's relay made the payload of that kind. */
function handle(middleware: WorkerMiddleware, payload: unknown, context: WorkerContext): unknown {
  const call: (payload: never, context: never) => unknown = middleware.handle;
  return call(payload as never, context as never);
}
