/**
 * A model proxy: what stands between an agent and its model's provider, so that guardrails, traces and usage apply to what they say to each
 * other. Who listens, and to whom, is its user's matter: `troupe gateway`, or an actor with agents.
 */
export { sendJson } from "./model-proxy/answer.ts";
export { mayAsk, onlyReads } from "./model-proxy/asking.ts";
export { readBody } from "./model-proxy/body.ts";
export { type BodyContent, contentOf } from "./model-proxy/body-content.ts";
export { callModel, type ModelCaller, type ModelRoute } from "./model-proxy/model-call.ts";
export { OVERHEAD, Overhead } from "./model-proxy/overhead.ts";
export { hasBody, passThrough } from "./model-proxy/pass-through.ts";
export { type Provider, type ProviderFamily, providerOf, readable } from "./model-proxy/provider.ts";
export type { ProviderKeys } from "./model-proxy/provider-key.ts";
export { type NamedProxy, type ProxyVariables, proxyOf } from "./model-proxy/proxy.ts";
export { repeatedKey } from "./model-proxy/repeated-key.ts";
export { pathOf } from "./model-proxy/request-path.ts";
export { agentSessionOf, isSession, sessionMetadata } from "./model-proxy/session.ts";
export {
  addressesOf,
  describeUpstreams,
  type UpstreamRoots,
  Upstreams,
  type UpstreamUrls,
} from "./model-proxy/upstreams.ts";
