/**
 * Keys of RivetKit's `setup` that aren't Troupe's. Those on which nothing depends have no effect, and the log says so once;
 * the others are refused by name, with what takes their place.
 */
import { setupErrors } from "../errors.ts";

/** Known for RivetKit's sake. */
export interface SettingsWithoutEffect {
  /** No effect: there is no welcome. `start({ banner: false })` prints nothing. */
  readonly noWelcome?: boolean;
  /** No effect: there is no engine beside this process. */
  readonly startEngine?: boolean;
  /** No effect: there is no engine beside this process. */
  readonly engineVersion?: string;
  /** No effect as "local"; anything else is refused: it is `sql` here. */
  readonly sqlite?: "local";
  /** No effect: `setupTest` needs no setting. */
  readonly test?: unknown;
  /** No effect: the default namespace needs no name. Another than this one is refused. */
  readonly namespace?: "default";
}

/** Values with which a key says what is the case anyway. */
const harmless: Readonly<Record<"namespace" | "sqlite", unknown>> = { namespace: "default", sqlite: "local" };

const withoutEffect: ReadonlySet<string> = new Set<
  Exclude<keyof SettingsWithoutEffect, keyof typeof harmless>
>(["noWelcome", "startEngine", "engineVersion", "test"]);

const noEngine = "the registry runs its actors itself: start(), or handler() behind a server of yours";
const ofServer = "give it to start(), as host and port, or to the server that calls handler()";
const ofActors = "it is one of each actor's options: actor({ options })";

const instead: ReadonlyMap<string, string> = new Map([
  ["endpoint", `${noEngine}; clients have an endpoint`],
  [
    "namespace",
    "setup({ namespaces }) makes them, clients name one in `namespace`, and a host in startHost({ namespace })",
  ],
  ["sqlite", 'it is `sql` here: setup({ sql: "remote" })'],
  ["headers", noEngine],
  ["engineHost", noEngine],
  ["enginePort", noEngine],
  ["startServices", noEngine],
  ["configurePool", noEngine],
  ["envoy", noEngine],
  ["serverless", noEngine],
  ["wasm", "actors in WebAssembly are plugins: pluginActor() of troupe/plugins"],
  ["logging", "set TROUPE_LOG to debug, info, warn, error or silent"],
  ["httpPort", ofServer],
  ["httpHost", ofServer],
  ["httpBasePath", "put a proxy before it, and give clients its path in endpoint"],
  ["staticDir", "answer with setup({ fetch })"],
  ["shutdown", "stop() ends it, and so do SIGTERM and SIGINT unless start({ signals: false })"],
  ["maxIncomingMessageSize", ofActors],
  ["maxOutgoingMessageSize", ofActors],
]);

/** True for a key that has no effect with this value. Throws `config.unsupported_key` for one that is refused. */
export function isWithoutEffect(key: string, value: unknown): boolean {
  if (withoutEffect.has(key)) return true;
  const other = instead.get(key);
  if (other === undefined) return false;
  // Programs pass on what their environment says, which may be nothing.
  if (value === undefined || Object.entries(harmless).some(([name, one]) => name === key && one === value))
    return true;
  throw setupErrors.unsupportedSetupKey(key, other);
}

/** Keys of a checked configuration that have no effect, for one warning. */
export function settingsWithoutEffect(config: object): readonly string[] {
  const given = Object.entries(config).filter(([, value]) => value !== undefined);
  return given.map(([key]) => key).filter((key) => withoutEffect.has(key) || instead.has(key));
}
