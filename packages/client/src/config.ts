/**
 * The configuration of a client, with its defaults.
 */
import { checkTimeout, ENCODINGS, type Encoding, protocolErrors } from "@troupe/protocol";
import type { ReconnectPolicy } from "./connection/reconnect.ts";
import type { ClientEnv } from "./env.ts";
import { clientErrors } from "./errors.ts";
import { HttpTransport } from "./http/http-transport.ts";
import { platformEnv } from "./platform.ts";
import type { RetryPolicy } from "./retry.ts";
import { type ClientSettings, defaultReconnect, defaultRetry } from "./settings.ts";
import type { ClientTransport } from "./transport.ts";
import type { ActorGatewayOptions } from "./types.ts";

/** What `createClient` takes. */
export interface ClientConfig {
  /** An http or https URL, with a path where a proxy adds one. Default: http://127.0.0.1:6420. */
  readonly endpoint?: string;
  /** Sent as `Authorization: Bearer`, and as a subprotocol where headers can't be set. */
  readonly token?: string;
  /** Default: "json". */
  readonly encoding?: Encoding;
  /** Sent with each HTTP request. WebSockets can't carry them. */
  readonly headers?: Readonly<Record<string, string>>;
  /**
   * Says which trace a call belongs to, for each HTTP request where it is made: `() => relay.captureTraceparent()`, or what
   * another tracer has. It goes as the header `traceparent`. Default: none.
   */
  readonly traceparent?: () => string | undefined;
  /** Makes the parameters of handles that were given neither `params` nor `getParams`. */
  readonly getParams?: () => unknown;
  /** How stateless calls that had no effect are repeated. Default: 15 s, waits from 100 ms to 2 s. */
  readonly retry?: Partial<RetryPolicy>;
  /** How connections come back. Default: waits from 250 ms to 15 s, to a third of that where the last link held. */
  readonly reconnect?: Partial<ReconnectPolicy>;
  /**
   * How long callers of actions wait, milliseconds, on handles and connections, where a call names no `timeoutMs`; then
   * `client.deadline_exceeded`. Default: no limit but those of the actor (`actionTimeout`) and of what can't be sent.
   */
  readonly actionTimeoutMs?: number;
  /** The namespace that all its actors are in, by name. Default: the default one, which every gateway has. */
  readonly namespace?: string;
  /** No effect. Known for RivetKit's sake. */
  readonly poolName?: string;
  /** No effect: a gateway always waits until the actor is ready. Known for RivetKit's sake. */
  readonly gateway?: ActorGatewayOptions;
  /** No effect: there is nothing to look up. Known for RivetKit's sake. */
  readonly disableMetadataLookup?: boolean;
  /** No effect: the gateway has a limit of its own. Known for RivetKit's sake. */
  readonly maxInputSize?: number;
  /** No effect. Known for RivetKit's sake. */
  readonly devtools?: boolean;
  /** No effect: a client opens WebSockets, and takes none. Known for RivetKit's sake. */
  readonly getUpgradeWebSocket?: unknown;
  /** Default: the platform that this runs on. */
  readonly env?: ClientEnv;
  /** Default: HTTP and WebSocket to `endpoint`, which `token` and `headers` are for. */
  readonly transport?: ClientTransport;
}

const DEFAULT_ENDPOINT = "http://127.0.0.1:6420";
const OPTIONS: ReadonlySet<string> = new Set<keyof ClientConfig>([
  "endpoint",
  "token",
  "encoding",
  "headers",
  "traceparent",
  "getParams",
  "retry",
  "reconnect",
  "actionTimeoutMs",
  "namespace",
  "poolName",
  "gateway",
  "disableMetadataLookup",
  "maxInputSize",
  "devtools",
  "getUpgradeWebSocket",
  "env",
  "transport",
]);

/** Options of RivetKit's that do nothing here. */
const IGNORED = [
  "poolName",
  "gateway",
  "disableMetadataLookup",
  "maxInputSize",
  "devtools",
  "getUpgradeWebSocket",
] as const;

/**
 * Fills in the defaults. Throws `client.unknown_option`, `client.unsupported`, `client.bad_endpoint`,
 * `client.encoding_unsupported`, `protocol.encoding_unsupported` or `protocol.malformed_call` (a time that is none).
 */
export function settingsOf(given: string | ClientConfig | undefined): ClientSettings {
  const config: ClientConfig = typeof given === "string" ? { endpoint: given } : (given ?? {});
  for (const name of Object.keys(config)) {
    if (!OPTIONS.has(name)) throw clientErrors.unknownOption(name, [...OPTIONS]);
  }
  const namespace = namespaceOf(config);
  const encoding = config.encoding ?? "json";
  if (isBare(encoding)) throw clientErrors.bareEncoding();
  if (!ENCODINGS.includes(encoding)) throw protocolErrors.encodingUnsupported(ENCODINGS);
  // Now, and not with each call.
  const { actionTimeoutMs = Infinity } = config;
  if (actionTimeoutMs !== Infinity) checkTimeout(actionTimeoutMs);
  const env = config.env ?? platformEnv();
  const ignored = IGNORED.filter((name) => config[name] !== undefined);
  if (ignored.length > 0) env.log.warn("options of createClient that have no effect", { options: ignored });
  const transport =
    config.transport ??
    new HttpTransport({
      env,
      endpoint: config.endpoint ?? DEFAULT_ENDPOINT,
      encoding,
      token: config.token,
      headers: config.headers ?? {},
      traceparent: config.traceparent,
      namespace,
    });
  return {
    env,
    transport,
    encoding,
    getParams: config.getParams,
    retry: { ...defaultRetry, ...config.retry },
    reconnect: { ...defaultReconnect, ...config.reconnect },
    actionTimeoutMs: config.actionTimeoutMs,
  };
}

/** Nothing for the default one. A transport has its own. */
function namespaceOf({ namespace, transport }: ClientConfig): string | undefined {
  if (namespace === undefined || namespace === "default") return undefined;
  if (typeof namespace !== "string" || namespace === "")
    throw clientErrors.unsupported("namespace that isn't a name", "leave it out for the default one");
  if (transport !== undefined)
    throw clientErrors.unsupported("namespace beside a transport", "the transport knows its own");
  return namespace;
}

/** RivetKit's default, which programs in JavaScript may still ask for. */
function isBare(encoding: string): boolean {
  return encoding === "bare";
}
