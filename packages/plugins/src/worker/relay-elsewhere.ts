/** The relay of a plugin's host, as actors in TypeScript reach it from an isolate, a module or a worker. */
import { HostAsk } from "@troupe/protocol/plugin/v1";
import {
  propagationContextFromJson,
  propagationContextToJson,
  type Scope,
  scopeElsewhere,
} from "@troupe/relay";
import type { CallElsewhere, LlmChunks, RelayElsewhere } from "@troupe/runtime/guest";
import { ChunksElsewhere, ModelHere } from "./stream-elsewhere.ts";

/** What the host gives code that it calls, beside its input. */
export interface LentContext {
  readonly signal: AbortSignal;
  /** The scope that it runs in: its propagation value, JSON text. */
  readonly scope: string;
}

/** Code that the host may call while a question of it is open. */
export type LentCode = (input: unknown, context: LentContext) => unknown;

/** How an actor of that name asks its host. */
export interface HostOfActors {
  /** A question that has no answer. */
  tell(ask: HostAsk, input: object, actor: string): void;
  /** One with an answer, and the code that it is about. Throws `actor.not_granted`, `value.*`. */
  lend(ask: HostAsk, input: object, code: LentCode, actor: string): LentQuestion;
}

/** A question that is open. */
export interface LentQuestion {
  /** Rejects with the host's error. */
  readonly answer: Promise<unknown>;
  /** Nobody waits for what is called any more: the answer says so. */
  abort(): void;
  /** Of one that opened a stream. Rejects with the host's error. */
  read(act: "opened" | "next" | "close"): Promise<unknown>;
}

/** The relay of that host. */
export function relayElsewhere(host: HostOfActors): RelayElsewhere {
  return {
    scopeOf,
    tell: (what, input, actor) => host.tell(what === "mark" ? HostAsk.MARK : HostAsk.METRIC, input, actor),
    run: async (what, call, actor) => {
      const ask = what === "tool" ? HostAsk.TOOL : HostAsk.LLM;
      const { question, unlisten } = lend(host, ask, { ...call, code: unlessAborted(call) }, actor);
      try {
        const { result } = (await question.answer) as { readonly result: unknown };
        return result;
      } finally {
        unlisten();
      }
    },
    stream: (call, actor) => stream(host, call, actor),
  };
}

async function stream(host: HostOfActors, call: CallElsewhere, actor: string): Promise<LlmChunks> {
  const model = new ModelHere(unlessAborted(call));
  const code: CallElsewhere["code"] = (input, context) => model.run(input, context);
  const { question, unlisten } = lend(host, HostAsk.LLM_STREAM, { ...call, code }, actor);
  const chunks = new ChunksElsewhere(question, unlisten);
  await chunks.opened();
  return chunks;
}

/** It isn't called where its caller gave up before the host had heard of that. */
function unlessAborted({ code, options: { signal } }: CallElsewhere): CallElsewhere["code"] {
  return (input, context) => {
    if (signal?.aborted === true) throw signal.reason;
    return code(input, context);
  };
}

interface Lent {
  readonly question: LentQuestion;
  /** The caller's signal is heard no more. */
  readonly unlisten: () => void;
}

function lend(
  host: HostOfActors,
  ask: HostAsk,
  { input, code, options, trace }: CallElsewhere,
  actor: string,
): Lent {
  // What the program keeps on a handle stays where the handle is.
  const { parent, signal, data: _data, ...said } = options;
  const question = host.lend(
    ask,
    { ...said, ...input, scope: parent === undefined ? trace : nameOf(parent) },
    (given, context) => code(given, { signal: context.signal, scope: scopeOf(context.scope) }),
    actor,
  );
  const abort = (): void => question.abort();
  if (signal?.aborted === true) abort();
  else signal?.addEventListener("abort", abort, { once: true });
  return { question, unlisten: () => signal?.removeEventListener("abort", abort) };
}

function scopeOf(trace: string): Scope {
  return scopeElsewhere(propagationContextFromJson(trace));
}

/** A scope of the host's as it knows it. */
export function nameOf({ uuid, rootUuid }: Scope): string {
  return propagationContextToJson({ version: 1, rootUuid, parentUuid: uuid });
}
