/**
 * Model request: where somebody stands before a model call, one scope holds what they were asked and the call itself, so that each is
 * found by the other, also where many run at once; a call that was refused, or failed, is a scope that failed, with the reason. Where nobody does,
 * the call's own scope is all there is to tell.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { type Relay, relayErrors, type Scope } from "@troupe/relay";
import {
  agentSessionOf,
  callModel,
  type ModelRoute,
  type Overhead,
  type Provider,
  sessionMetadata,
} from "@troupe/relay/model-proxy";

/** Middleware that is given the request of a model call. */
const seesRequests = [
  "llm_conditional_execution_guardrail",
  "llm_request_intercept",
  "llm_execution_intercept",
  "llm_stream_execution_intercept",
] as const;

/** True when some middleware is given the request of each model call. */
export function isWatched(relay: Pick<Relay, "has">): boolean {
  return seesRequests.some((kind) => relay.has(kind));
}

/** A call of a model, and what it comes with. */
export interface ModelRequest {
  readonly provider: Provider;
  readonly overhead: Overhead;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

/** Answers it. Throws as {@link callModel}. */
export async function answerModel(
  route: ModelRoute & { readonly relay: Relay },
  { provider, overhead, request, response }: ModelRequest,
): Promise<void> {
  const call = (): Promise<string | undefined> => callModel(route, provider, request, response, overhead);
  const { relay, session } = route;
  if (!isWatched(relay)) return void (await call());
  const metadata = sessionMetadata(session, agentSessionOf(request.headers));
  const told = async (scope: Scope): Promise<void> => {
    const failure = await call();
    // Its client has its answer: nothing is thrown.
    if (failure !== undefined)
      relay.popScope(scope, { error: relayErrors.providerFailed(provider.name, failure) });
  };
  await relay.withScope("model.request", "function", told, { input: { api: provider.name }, metadata });
}
