/**
 * The plugin's end of plugin/v1 in an isolate: Hello is answered with what the definition declares, and every message to
 * an actor is the guest's.
 */
import type { Env } from "@troupe/base";
import { decodePayload, encodeDeclaration, encodePayload, toCarriedError } from "@troupe/protocol/actor/v1";
import {
  decodeHostFrame,
  encodePluginFrame,
  encodingNumber,
  HostAsk,
  type Invoke,
  type InvokeResult,
  PLUGIN_VERSIONS,
  type PluginFrame,
} from "@troupe/protocol/plugin/v1";
import { actorErrors, Guest, type GuestParts } from "@troupe/runtime/guest";
import { relayElsewhere } from "../../../worker/relay-elsewhere.ts";
import { asks } from "./asks.ts";
import { host } from "./host.ts";

/** What a session is made of. */
export interface IsolateSessionParts {
  readonly env: Env;
  /** What the source exports. */
  readonly definition: GuestParts["use"][string];
  /** The name that the actor is registered under. */
  readonly name: string;
  readonly send: (frame: Uint8Array) => void;
  /** What of its host's relay it may ask for: "events" is `c.mark`, "calls" is `c.tool`. */
  readonly may: ReadonlySet<string>;
  /** Told of every error before it leaves. */
  readonly failed: (cause: unknown) => void;
}

/** A guest with one definition. */
export class IsolateSession {
  readonly #send: (frame: Uint8Array) => void;
  readonly #name: string;
  readonly #guest: Guest;
  /** Code of the actor's that the host has called, by that call's number. */
  readonly #running = new Map<number, AbortController>();

  /** Throws `actor.not_carried` for a definition that is carried itself. */
  constructor(parts: IsolateSessionParts) {
    this.#send = parts.send;
    this.#name = parts.name;
    this.#guest = new Guest({
      env: parts.env,
      use: { [parts.name]: parts.definition },
      send: (value) => this.#say({ $case: "actor", value }),
      relayElsewhere: relayElsewhere({
        tell: (ask, input, actor) => {
          if (!parts.may.has("events")) throw actorErrors.notGranted(actor, "events", "say what happens");
          asks.tell(ask, input);
        },
        lend: (ask, input, code, actor) => {
          if (!parts.may.has("calls")) throw actorErrors.notGranted(actor, "calls", "call tools and models");
          const { call, answer } = asks.ask(ask, input, code);
          return {
            answer,
            abort: () => asks.tell(HostAsk.ABORT_CALL, { call }),
            read: (act) => asks.ask(HostAsk.READ_STREAM, { call, act }).answer,
          };
        },
      }),
      departure: (departure) => {
        host.departure = departure;
      },
      failed: (cause: unknown) => {
        parts.failed(cause);
        return undefined;
      },
    });
  }

  receive(frame: Uint8Array): void {
    const { body } = decodeHostFrame(frame);
    switch (body?.$case) {
      case "actor":
        return this.#guest.receive(body.value);
      case "hostResult":
        return asks.answered(body.value);
      case "invoke":
        return void this.#invoke(body.value);
      case "cancelInvoke":
        return this.#cancel(body.value.invoke);
      case "hello":
        return this.#greet(body.value.versions);
      case "ping":
        return this.#say({ $case: "pong", value: { number: body.value.number } });
      default:
        return;
    }
  }

  #greet(versions: readonly number[]): void {
    const version = PLUGIN_VERSIONS.findLast((known) => versions.includes(known));
    if (version === undefined) {
      const why = new RangeError(`It speaks ${PLUGIN_VERSIONS.join(", ")}, the host ${versions.join(", ")}`);
      return this.#say({ $case: "failed", value: { error: toCarriedError(why, "json") } });
    }
    this.#say({
      $case: "ready",
      value: {
        version,
        encoding: encodingNumber("cbor"),
        name: this.#name,
        pluginVersion: "",
        actors: this.#guest.declarations.map(encodeDeclaration),
        middleware: [],
      },
    });
  }

  async #invoke({ invoke, name, payload, scope }: Invoke): Promise<void> {
    const abort = new AbortController();
    this.#running.set(invoke, abort);
    let answer: Pick<InvokeResult, "payload" | "error">;
    try {
      const result = await asks.run(name, decodePayload(payload, "cbor"), { signal: abort.signal, scope });
      answer = { payload: encodePayload(result, "cbor"), error: undefined };
    } catch (cause) {
      answer = { payload: new Uint8Array(0), error: toCarriedError(cause, "cbor") };
    }
    if (this.#running.delete(invoke))
      this.#say({ $case: "invokeResult", value: { invoke, ...answer, stream: false } });
  }

  /** Nobody waits for it any more. */
  #cancel(invoke: number): void {
    this.#running.get(invoke)?.abort();
    this.#running.delete(invoke);
  }

  #say(body: NonNullable<PluginFrame["body"]>): void {
    this.#send(encodePluginFrame({ body }));
  }
}
