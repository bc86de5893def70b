/**
 * `c.tool`, `c.llm`, `c.scope`, `c.mark` and `c.metric`: an actor's own calls of tools and models, and what it says of itself, under its relay.
 *
 * Where the relay is in another process, that of who brings the calls, each call says its scope. That is what `c.scope` is then, and
 * marks and metrics are sent there. So are calls of tools and models, and each chunk of a stream that is read: their middleware is there,
 * and calls the tool or the model itself here.
 */
import { limits } from "@troupe/protocol";
import type {
  CallContext,
  LlmCallOptions,
  LlmFunction,
  LlmRequest,
  LlmStreamFunction,
  LlmStreamOptions,
  Measurement,
  Scope,
  ToolCallOptions,
} from "@troupe/relay";
import { actorErrors } from "../../errors.ts";
import { relayErrors } from "../../traced/errors.ts";
import type { LlmChunks, MarkOptions, ToolCode } from "../types/relay.ts";
import type { Activation } from "./activation.ts";
import type { CallElsewhere, RelayElsewhere } from "./activation-services.ts";
import type { CallRun } from "./call-run.ts";
import type { HandlerQueue } from "./handler-queue.ts";

/** Where a handler's code is. */
export interface CodePlace {
  readonly activation: Activation;
  /** What it has taken from queues, if anything. */
  readonly received: HandlerQueue | undefined;
  /** The call that its context is of, if it is of one. */
  readonly call?: CallRun | undefined;
}

/** The scope that the code runs in: of the message that it works on, or what is current. */
export function scopeOf(place: CodePlace): Scope {
  const { activation, received } = place;
  if (activation.relay === undefined) {
    const { trace, relay } = elsewhere(place);
    return relay.scopeOf(trace);
  }
  const message = received?.latest;
  const scope = message === undefined ? undefined : activation.queueing?.scopes?.of(message);
  return scope ?? activation.relay.getHandle();
}

/** Something happened, or was measured. */
export function tell(
  place: CodePlace,
  name: string,
  { measurements, ...options }: MarkOptions & { readonly measurements?: readonly Measurement[] },
): void {
  const { activation } = place;
  if (activation.relay === undefined) {
    const { trace, relay } = elsewhere(place);
    const what = measurements === undefined ? "mark" : "metric";
    const input = { ...options, ...(measurements && { measurements }), name, scope: trace };
    return relay.tell(what, input, activation.record.name);
  }
  const said = { ...options, parent: scopeOf(place) };
  if (measurements === undefined) activation.relay.event(name, said);
  else activation.relay.metric(name, measurements, said);
}

/** The relay of who brought the call, and the scope that it came in. Throws `actor.no_relay` where it came in none. */
function elsewhere({ activation, call }: CodePlace): {
  readonly trace: string;
  readonly relay: RelayElsewhere;
} {
  const { calls, record } = activation;
  const { relayElsewhere: relay } = calls;
  const trace = (call ?? calls.running)?.trace;
  if (relay === undefined || trace === undefined) throw relayErrors.noRelay(record.name);
  return { trace, relay };
}

/** Runs a tool under all middleware that is visible. */
export async function runTool<A, R>(
  place: CodePlace,
  { name, args, fn }: { readonly name: string; readonly args: A; readonly fn: ToolCode<A, R> },
  options: ToolCallOptions,
): Promise<R> {
  const { relay } = place.activation;
  if (relay === undefined) {
    const code = (given: unknown, context: CallContext) => fn(given as A, context);
    return (await runElsewhere(place, "tool", { input: { name, args }, code, options })) as R;
  }
  const answered = await relay.toolCallExecute(
    name,
    args,
    // Intercepts may have changed them; what they may be is theirs to keep.
    async (given, context) => ({ result: await fn(given as A, context) }),
    { parent: scopeOf(place), ...options },
  );
  return answered.result as R;
}

/** Calls a model whose response comes in one piece. */
export async function callModel(
  place: CodePlace,
  { name, request, fn }: { readonly name: string; readonly request: LlmRequest; readonly fn: LlmFunction },
  options: LlmCallOptions,
): Promise<unknown> {
  const { relay } = place.activation;
  if (relay === undefined) {
    // The host gives it a request, as intercepts left it.
    const code = fn as CallElsewhere["code"];
    return await runElsewhere(place, "llm", { input: { name, request }, code, options });
  }
  return await relay.llmCallExecute(name, request, fn, { parent: scopeOf(place), ...options });
}

/**
 * Calls a model whose response comes in chunks. A stream that its reader forgets ends with the call that opened it, behind all that this
 * call has left to `c.waitUntil` and `c.keepAwake`; one that no call opened ends with the activation. Whoever reads it then is told
 * `relay.aborted`: an end would look as if it were whole. Throws `actor.overloaded`.
 */
export async function streamModel(
  place: CodePlace,
  {
    name,
    request,
    fn,
  }: { readonly name: string; readonly request: LlmRequest; readonly fn: LlmStreamFunction },
  options: LlmStreamOptions,
): Promise<LlmChunks> {
  const { activation, call } = place;
  const { relay, record, work } = activation;
  if (work.streams >= limits.actorStreams) throw actorErrors.overloaded("model streams", limits.actorStreams);
  const ended = new AbortController();
  const end = (): void => ended.abort();
  const own = ended.signal;
  const given = { ...options, signal: AbortSignal.any([own, options.signal ?? own]) };
  const open = async (): Promise<LlmChunks> => {
    if (relay !== undefined)
      return await relay.llmStreamCallExecute(name, request, fn, { parent: scopeOf(place), ...given });
    const { trace, relay: there } = elsewhere(place);
    // As in callModel.
    const code = fn as CallElsewhere["code"];
    return await there.stream({ input: { name, request }, code, options: given, trace }, record.name);
  };
  const forget = activation.atEnd(end);
  const letGo = call?.hold(end);
  work.streams += 1;
  const opening = open();
  const over = (): void => {
    forget();
    letGo?.();
    work.streams -= 1;
  };
  void opening.then(({ closed }) => closed).then(over, over);
  return await opening;
}

function runElsewhere(
  place: CodePlace,
  what: "tool" | "llm",
  call: Omit<CallElsewhere, "trace">,
): Promise<unknown> {
  const { trace, relay } = elsewhere(place);
  return relay.run(what, { ...call, trace }, place.activation.record.name);
}
