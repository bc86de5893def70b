/**
 * Who may know whom: the one table of layers, rooms, platform code and third-party packages.
 *
 * `checks/layers.ts` and `checks/platform.ts` hold the sources to it. A path that ends in "/" is a folder, any other
 * is the beginning of a file's path. A new row needs a reason that a reader believes.
 */

/** A package may import those of earlier rows only, never its neighbours in a row. */
export const layers: readonly (readonly string[])[] = [
  ["base"],
  ["protocol"],
  ["client"],
  ["relay"],
  ["runtime"],
  ["plugins", "cluster"],
  ["agent-os"],
  ["cli"],
  ["troupe"],
];

/** Packages that know others by their public entry alone, never by `/internal`. */
export const publicApiOnly: readonly string[] = ["agent-os", "cli"];

/** Code that shows how the product is used: it imports the published name and nothing below it. */
export const outsiders = { folders: ["examples/"], may: /^troupe(\/|$)/ } as const;

export interface Room {
  readonly where: readonly string[];
  /** Places in `where` that the row is not about. */
  readonly except?: readonly string[];
  readonly mayNotSee: readonly string[];
  /** Places in `mayNotSee` that may be seen all the same. */
  readonly but?: readonly string[];
  readonly because: string;
}

const runtime = "packages/runtime/src/";
const plugins = "packages/plugins/src/";
const relay = "packages/relay/src/";
const otlp = `${relay}exporters/opentelemetry/`;

/** Inside a package: what a room must not know. */
export const rooms: readonly Room[] = [
  {
    where: [`${runtime}ports/`],
    except: [`${runtime}ports/memory/`],
    mayNotSee: [runtime],
    but: [`${runtime}ports/`, `${runtime}errors.ts`],
    because: "a port is what drivers implement: it knows no implementation and no user",
  },
  {
    where: [`${runtime}node/`, `${runtime}edge/`, `${runtime}ports/memory/`],
    // `setup`, `setupTest` and an edge host are where an adapter, the registry or a remote host, and definitions meet.
    except: [
      `${runtime}node/setup`,
      `${runtime}edge/index.ts`,
      `${runtime}edge/host.ts`,
      `${runtime}edge/serve-host.ts`,
    ],
    mayNotSee: [
      `${runtime}actor/`,
      `${runtime}gate/`,
      `${runtime}schedule/`,
      `${runtime}kv/`,
      `${runtime}events/`,
      `${runtime}idempotency/`,
      // Not sql/: its errors are those of drivers.
      `${runtime}queue/`,
      `${runtime}workflow/`,
    ],
    because: "an adapter or driver sees ports and the storage contract, never the actors that use them",
  },
  {
    where: [`${runtime}storage/`],
    mayNotSee: [`${runtime}actor/`, `${runtime}gateway/`, `${runtime}host/`, `${runtime}registry/`],
    because: "storage is a contract between the core and its drivers: it knows no actor",
  },
  {
    where: [`${runtime}gate/`],
    mayNotSee: [runtime],
    but: [`${runtime}gate/`, `${runtime}ports/`, `${runtime}errors.ts`],
    because: "a gate is a unit of its own with the commit injected",
  },
  {
    where: [`${runtime}egress/`],
    mayNotSee: [runtime],
    but: [`${runtime}egress/`, `${runtime}errors.ts`],
    because: "the way out serves whatever may not reach the network by itself, and knows none of it",
  },
  {
    where: [`${runtime}traced/`],
    mayNotSee: [`${runtime}actor/`, `${runtime}gateway/`, `${runtime}registry/`],
    because: "a call's scope is about the ports: it knows no kind of actor, and not who calls",
  },
  {
    where: [`${runtime}watched/`],
    mayNotSee: [runtime],
    but: [`${runtime}watched/`, `${runtime}ports/`, `${runtime}storage/`],
    because: "what stands before a port passes on whatever the port has, for any watcher",
  },
  {
    where: [`${runtime}gateway/`],
    mayNotSee: [`${runtime}actor/`],
    because: "the gateway knows no kind of actor: adding a kind touches no gateway file",
  },
  {
    where: [`${runtime}actor/`],
    mayNotSee: [`${runtime}gateway/`, `${runtime}registry/`, `${runtime}inspector/`],
    because: "an actor does not know who calls it, nor who looks at it",
  },
  {
    where: [`${runtime}inspector/`],
    mayNotSee: [`${runtime}actor/`],
    // What rows of the state look like, and the options of a definition.
    but: [`${runtime}actor/local/state-chunks.ts`, `${runtime}actor/definition.ts`],
    because: "the inspector sees every kind of actor alike, through the ports",
  },
  {
    where: [relay],
    // A component's kinds meet exporters and the platform in `plugin.ts`.
    except: [
      `${relay}node.ts`,
      `${relay}create-relay.ts`,
      `${relay}opentelemetry.ts`,
      `${relay}plugin.ts`,
      `${relay}model-proxy`,
    ],
    mayNotSee: [`${relay}exporters/`, `${relay}platform.ts`, `${relay}model-proxy/`],
    because: "the relay runs on every platform: Node's part is an entry of its own",
  },
  {
    where: [`${relay}scope/`, `${relay}middleware/`, `${relay}subscribers/`],
    mayNotSee: [`${relay}calls/`, `${relay}relay.ts`],
    because: "scopes, middleware and subscribers know no kind of call",
  },
  {
    where: [`${plugins}carriers/`],
    mayNotSee: [`${plugins}session/`],
    because: "a carrier moves frames and knows nothing of what is in them",
  },
  {
    where: [`${plugins}session/`],
    mayNotSee: [`${plugins}carriers/`],
    because: "one session serves all carriers, and knows none",
  },
  {
    where: [
      "connection/",
      "http/",
      "raw/",
      "index.ts",
      "client.ts",
      "config.ts",
      "handle.ts",
      "scope.ts",
    ].map((place) => `packages/client/src/${place}`),
    mayNotSee: ["packages/client/src/react/"],
    because: "a client without React must not need it",
  },
  {
    where: ["packages/troupe/src/client.ts", "packages/troupe/src/react.ts"],
    mayNotSee: [
      "packages/runtime/",
      "packages/plugins/",
      "packages/cluster/",
      "packages/agent-os/",
      "packages/cli/",
    ],
    because: "a browser that imports troupe/client must not get the server",
  },
  {
    where: ["packages/agent-os/src/client.ts", "packages/agent-os/src/client/"],
    mayNotSee: ["packages/runtime/", "packages/agent-os/src/"],
    but: ["packages/agent-os/src/client/", "packages/agent-os/src/session-entry.ts"],
    because: "a browser that follows a session must not get the server",
  },
  {
    where: ["packages/agent-os/src/sandbox/bubblewrap/inside/"],
    mayNotSee: ["packages/"],
    but: ["packages/agent-os/src/sandbox/bubblewrap/inside/"],
    because: "a sandbox has its supervisor's folder alone",
  },
  {
    where: ["packages/agent-os/src/sandbox/"],
    mayNotSee: ["packages/agent-os/src/"],
    but: ["packages/agent-os/src/sandbox/", "packages/agent-os/src/errors.ts"],
    because: "a sandbox knows no session, no agent and no actor",
  },
  {
    where: ["packages/agent-os/src/"],
    mayNotSee: ["packages/agent-os/src/sessions/", "packages/agent-os/src/sandbox/embedded/"],
    because: "a connection to an agent knows no session's life and no kind of sandbox",
  },
];

/** Sources that are `export { names } from "…"` and nothing else. */
export const reExportsOnly: readonly string[] = ["packages/troupe/src/"];

/** Adapters, and the few places that put adapter and core together. No other file of the runtime sees an adapter. */
export const adapters = {
  folders: [`${runtime}node/`, `${runtime}edge/`],
  mayBeSeenBy: [
    `${runtime}index.ts`,
    `${runtime}internal.ts`,
    `${runtime}process.ts`,
    `${runtime}testing/`,
    "packages/troupe/src/edge.ts",
    "packages/troupe/src/runtime-socket.ts",
    "packages/plugins/src/carriers/isolate/guest/",
  ],
} as const;

/** Packages whose code takes the outside world through `Env`. */
export const platformFree: readonly string[] = ["base", "protocol", "client", "relay", "runtime", "troupe"];

/** The files in those packages that may touch the platform: they are what `Env` and the ports are made of. */
export const platformFiles: readonly string[] = [
  `${runtime}node/`,
  `${runtime}edge/`,
  `${runtime}egress/`,
  "packages/client/src/platform",
  "packages/relay/src/platform",
  "packages/relay/src/exporters/",
  "packages/relay/src/model-proxy/",
];

/** Third-party packages, and built-in modules that one place owns, with the files that may import them. */
export const owners: Readonly<Record<string, readonly string[]>> = {
  ws: [`${runtime}node/`, "packages/agent-os/src/ports/port-socket.ts"],
  koffi: [`${plugins}carriers/native/ffi.ts`],
  "isolated-vm": [`${plugins}carriers/isolate/process/`],
  "drizzle-orm": [`${runtime}drizzle/`],
  "node:sqlite": [`${runtime}node/sqlite/sqlite.ts`],
  "@agentclientprotocol/sdk": ["packages/agent-os/src/"],
  "just-bash": ["packages/agent-os/src/sandbox/embedded/"],
  "@lydell/node-pty": ["packages/agent-os/src/sandbox/bubblewrap/inside/terminal.ts"],
  "modern-tar": ["packages/agent-os/src/sandbox/archive.ts"],
  react: ["packages/client/src/react/"],
  "eventsource-parser": [
    "packages/relay/src/model-proxy/provider-events.ts",
    "packages/relay/src/model-proxy/response-reader.ts",
  ],
  undici: ["packages/relay/src/model-proxy/upstream.ts", "packages/relay/src/model-proxy/passage.ts"],
  "smol-toml": [
    "packages/plugins/src/manifest/manifest.ts",
    "packages/cli/src/config/toml-file.ts",
    "packages/cli/src/config/toml-text.ts",
  ],
  commander: [
    "packages/cli/src/program.ts",
    "packages/cli/src/actors/program.ts",
    "packages/cli/src/plugins/program.ts",
    "packages/cli/src/failure.ts",
  ],
  semver: [`${plugins}manifest/manifest.ts`, `${plugins}manifest/rules.ts`],
  "@cfworker/json-schema": [
    `${plugins}manifest/config-schema.ts`,
    "packages/agent-os/src/host-tools/tool-arguments.ts",
    "packages/agent-os/src/host-tools/tool-schema.ts",
  ],
  "@grpc/grpc-js": [`${otlp}packages.ts`],
  ...Object.fromEntries(
    [
      ...["api", "resources", "sdk-logs", "sdk-metrics", "sdk-trace"],
      ...["trace", "logs", "metrics"].flatMap((signal) =>
        ["grpc", "http", "proto"].map((way) => `exporter-${signal}-otlp-${way}`),
      ),
    ].map((name) => [`@opentelemetry/${name}`, [otlp]]),
  ),
};

/** True when `path` is, or lies under, one of `places`. */
export function isIn(path: string, places: readonly string[]): boolean {
  return places.some((place) => path.startsWith(place));
}
