/**
 * What a plugin asks of its host's relay, for one session.
 *
 * A place is where something is asked: a call of the plugin's middleware, whose scope is then the default of all that is asked
 * in it, or the session, which has a root of its own. A scope belongs to the place where it was made and ends with it at the
 * latest: one that was pushed and not popped then says so in its end event. Nobody else's scope can be ended. What is said may be
 * below a scope that a call of this session was told, named by the propagation value that it was told, and below no other: ids that
 * it has from elsewhere (a subscriber hears many) are refused. A question doesn't say which instance asks, so what one of the
 * plugin's instances was told another may name.
 *
 * What a manifest doesn't list under capabilities is refused, each time: the answer is that question's error, and the session
 * goes on.
 */
import { limits } from "@troupe/protocol";
import { HostAsk } from "@troupe/protocol/plugin/v1";
import {
  propagationContextFromJson,
  propagationContextToJson,
  type Registration,
  type Relay,
  type Scope,
} from "@troupe/relay";
import type { Capability } from "../manifest/rules.ts";
import { hostErrors } from "../session/host-errors.ts";
import type { HostQuestion, PluginHost } from "../session/host-questions.ts";
import { EVERYBODY, type Told, ToldScopes } from "../session/told-scopes.ts";
import { AskedCalls } from "./asked-calls.ts";
import { decodePayloadOf, encodePayloadOf } from "./asked-codecs.ts";
import { AskedFields } from "./asked-fields.ts";
import { gateOf, kindsOf, markOf, metricOf, popOf, pushOf } from "./asked-options.ts";

/** What the relay and the manifest of a plugin say of it. */
export interface RelayHostParts {
  readonly relay: Relay;
  readonly id: string;
  readonly capabilities: readonly Capability[];
}

interface Place {
  /** What is current there. */
  readonly scope: Scope;
  /** What its call was told, if anything. */
  readonly told: Told | undefined;
  /** The plugin's own that were made there and are open, by id. */
  readonly made: Map<string, Made>;
}

interface Made {
  readonly scope: Scope;
  /** Its propagation value; of a root there is none. */
  readonly told: Told | undefined;
  /** A stand-in: no event is about it. */
  readonly forked: boolean;
}

/** One session's. */
export class RelayHost implements PluginHost {
  readonly scopes = new ToldScopes();
  readonly #relay: Relay;
  readonly #id: string;
  readonly #capabilities: readonly Capability[];
  readonly #session: Place;
  readonly #calls = new Map<number, Place>();
  readonly #gates = new Map<string, Registration>();
  readonly #asked: AskedCalls;
  #openScopes = 0;
  #forks = 0;

  constructor({ relay, id, capabilities }: RelayHostParts) {
    this.#relay = relay;
    this.#id = id;
    this.#capabilities = capabilities;
    this.#asked = new AskedCalls(relay);
    this.#session = { scope: relay.createScopeStack(), told: undefined, made: new Map() };
  }

  began(invoke: number, scope: string): void {
    const told = scope === "" ? undefined : this.scopes.told(scope, EVERYBODY);
    this.#calls.set(invoke, { scope: this.#relay.getHandle(), told, made: new Map() });
  }

  over(invoke: number): void {
    const place = this.#calls.get(invoke);
    if (place === undefined) return;
    this.#calls.delete(invoke);
    this.#leave(place);
    if (place.told !== undefined) this.scopes.over(place.told);
  }

  end(): void {
    this.#asked.end();
    for (const invoke of [...this.#calls.keys()]) this.over(invoke);
    this.#leave(this.#session);
    for (const gate of this.#gates.values()) gate.deregister();
    this.#gates.clear();
  }

  answer(question: HostQuestion): unknown {
    const { ask, input, invoke } = question;
    const row = asks.get(ask);
    if (row === undefined) throw hostErrors.askUnknown(ask);
    const place = invoke === 0 ? this.#session : this.#calls.get(invoke);
    if (place === undefined) throw hostErrors.callOver();
    if (!this.#capabilities.includes(row.capability))
      throw hostErrors.notAllowed(this.#id, row.name, row.capability);
    const fields = new AskedFields(input);
    return this.#relay.withScopeStack(place.scope, () => this.#answer(question, fields, place)) ?? null;
  }

  #answer(question: HostQuestion, fields: AskedFields, place: Place): unknown {
    const relay = this.#relay;
    switch (question.ask) {
      case HostAsk.MARK:
        return relay.event(fields.text("name"), { ...markOf(fields), ...this.#parent(fields, place) });
      case HostAsk.METRIC: {
        const { measurements, ...options } = metricOf(fields);
        return relay.metric(fields.text("name"), measurements, {
          ...options,
          ...this.#parent(fields, place),
        });
      }
      case HostAsk.PUSH_SCOPE:
        return this.#push(fields, place);
      case HostAsk.POP_SCOPE:
        return relay.popScope(this.#take(fields, place, false), popOf(fields));
      case HostAsk.FORK_SCOPE:
        return this.#fork(fields, place);
      case HostAsk.DROP_SCOPE:
        return relay.popScope(this.#take(fields, place, true));
      case HostAsk.DECODE:
        return decodePayloadOf(fields);
      case HostAsk.ENCODE:
        return encodePayloadOf(fields);
      case HostAsk.LIST_REGISTRATIONS:
        return relay.listRuntimeRegistrations(kindsOf(fields));
      case HostAsk.DIAGNOSTICS:
        return { droppedEvents: relay.droppedEvents, subscribers: relay.subscriberStatus() };
      case HostAsk.SET_GATE:
        return this.#setGate(fields);
      case HostAsk.TOOL:
        return this.#asked.tool({ question, fields, parent: this.#parent(fields, place) });
      case HostAsk.LLM:
        return this.#asked.model({ question, fields, parent: this.#parent(fields, place) });
      case HostAsk.ABORT_CALL:
        return this.#asked.abort(fields.any("call"));
      case HostAsk.LLM_STREAM:
        return this.#asked.stream({ question, fields, parent: this.#parent(fields, place) });
      case HostAsk.READ_STREAM:
        return this.#asked.readStream(fields);
      default:
        throw hostErrors.askUnknown(question.ask);
    }
  }

  #push(fields: AskedFields, place: Place): unknown {
    const { name, scopeType, ...options } = pushOf(fields);
    this.#count();
    const scope = this.#relay.pushScope(name, scopeType, { ...options, ...this.#parent(fields, place) });
    return this.#keep(place, scope, false);
  }

  #fork(fields: AskedFields, place: Place): unknown {
    this.#count();
    const of = fields.optionalText("scope");
    const context = of && this.#relay.capturePropagationContext(this.#find(of, place));
    const scope = context ? this.#relay.createScopeFromPropagation(context) : this.#relay.createScopeStack();
    this.#forks += 1;
    return this.#keep(place, scope, true, `fork ${this.#forks}`);
  }

  /** `id` names it between the two: a fork isn't the scope that it stands for. */
  #keep(place: Place, scope: Scope, forked: boolean, id = scope.uuid): unknown {
    const context = this.#relay.capturePropagationContext(scope);
    const told = context && this.scopes.told(propagationContextToJson(context), EVERYBODY);
    this.#openScopes += 1;
    place.made.set(id, { scope, told, forked });
    return { scope: id, propagation: told?.scope ?? null };
  }

  #count(): void {
    if (this.#openScopes >= limits.pluginScopes) throw hostErrors.tooMany("scopes", limits.pluginScopes);
  }

  /** The scope that the plugin names, as a parent; that of the place where it names none. */
  #parent(fields: AskedFields, place: Place): { readonly parent?: Scope } {
    const named = fields.optionalText("scope");
    return named === undefined ? {} : { parent: this.#find(named, place) };
  }

  #find(id: string, place: Place): Scope {
    const made = place.made.get(id) ?? this.#session.made.get(id);
    if (made !== undefined) return made.scope;
    // A root has no id that anybody was told.
    if (place !== this.#session && place.scope.uuid === id) return place.scope;
    // What a call was told: a value that goes to anybody whose work is a part of it.
    if (id.startsWith("{") && this.scopes.isKnown(id))
      return this.#relay.createScopeFromPropagation(propagationContextFromJson(id));
    throw hostErrors.scopeUnknown(id);
  }

  /** Out of those that are open. It may end where it was made, or in the session's own where that was. */
  #take(fields: AskedFields, place: Place, forked: boolean): Scope {
    const id = fields.text("scope");
    for (const { made } of [place, this.#session]) {
      const found = made.get(id);
      if (found === undefined || found.forked !== forked) continue;
      made.delete(id);
      this.#gone(found);
      return found.scope;
    }
    throw hostErrors.scopeUnknown(id);
  }

  /** Those that were made last end first, as if they had been popped. */
  #leave({ made }: Place): void {
    for (const one of [...made.values()].reverse()) {
      this.#gone(one);
      this.#relay.popScope(one.scope, one.forked ? {} : { error: hostErrors.scopeLeft(this.#id) });
    }
    made.clear();
  }

  #gone({ told }: Made): void {
    this.#openScopes -= 1;
    if (told !== undefined) this.scopes.over(told);
  }

  #setGate(fields: AskedFields): void {
    const { name, about, reason } = gateOf(fields);
    const before = this.#gates.get(name);
    if (before === undefined && reason !== undefined && this.#gates.size >= limits.pluginGates)
      throw hostErrors.tooMany("gates", limits.pluginGates);
    before?.deregister();
    this.#gates.delete(name);
    if (reason === undefined) return;
    const kind = "conditional_middleware_guardrail" as const;
    const request = { kind, name: `${this.#id}/${name}`, about, handle: () => reason };
    this.#gates.set(name, this.#relay.register(request));
  }
}

/** What may be asked for, and which capability it takes. */
const asks: ReadonlyMap<HostAsk, { readonly name: string; readonly capability: Capability }> = new Map(
  (
    [
      [HostAsk.MARK, "a mark", "events"],
      [HostAsk.METRIC, "a metric", "events"],
      [HostAsk.PUSH_SCOPE, "a scope", "events"],
      [HostAsk.POP_SCOPE, "the end of a scope", "events"],
      [HostAsk.FORK_SCOPE, "a fork of a scope", "events"],
      [HostAsk.DROP_SCOPE, "the end of a fork", "events"],
      [HostAsk.DECODE, "a codec", "codecs"],
      [HostAsk.ENCODE, "a codec", "codecs"],
      [HostAsk.LIST_REGISTRATIONS, "registrations", "registrations"],
      [HostAsk.DIAGNOSTICS, "diagnostics", "registrations"],
      [HostAsk.SET_GATE, "a gate", "gates"],
      [HostAsk.TOOL, "a tool", "calls"],
      [HostAsk.LLM, "a model", "calls"],
      [HostAsk.ABORT_CALL, "the end of a call", "calls"],
      [HostAsk.LLM_STREAM, "a model's stream", "calls"],
      [HostAsk.READ_STREAM, "a model's stream", "calls"],
    ] as const
  ).map(([ask, name, capability]) => [ask, { name, capability }]),
);
