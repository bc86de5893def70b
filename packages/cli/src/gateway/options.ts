/** What a gateway is asked for, by whichever command. */
import { findScopes, type Scopes } from "@troupe/plugins/scopes";
import type { UpstreamRoots, UpstreamUrls } from "@troupe/relay/model-proxy";
import type { PluginConfig } from "@troupe/relay/plugin";
import { configFiles, readConfiguration } from "../config/configuration.ts";
import type { Configuration, KeySource, Settings, UpstreamName } from "../config/setting.ts";

/** As typed. */
export interface GatewayFlags {
  readonly bind?: string;
  /** An address for all, or `openai=…`, `anthropic=…`, `gemini=…`. */
  readonly upstream?: readonly string[];
  readonly plugin?: readonly string[];
  /** False: installed plugins aren't activated. */
  readonly installed?: boolean;
  readonly atof?: string;
  /** The project's `troupe.toml`. */
  readonly config?: string;
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

/** Checked; paths are absolute. */
export interface GatewayOptions {
  readonly host: string;
  readonly port: number;
  readonly upstreams: UpstreamUrls;
  /** Of those whose address has the path that an agent's own would have. */
  readonly roots: UpstreamRoots;
  /** Where the keys of upstreams are, for those that have one. */
  readonly keys: Readonly<Partial<Record<UpstreamName, KeySource>>>;
  /** Paths of manifests. */
  readonly manifests: readonly string[];
  /** Where installed plugins, and the user's policy, are; undefined: the surroundings don't say, and there are none. */
  readonly scopes: Scopes | undefined;
  /** False: installed plugins are left out. The policy counts either way, or a project's file could undo it. */
  readonly installed: boolean;
  readonly unknownPaths: Settings["unknownPaths"];
  readonly components: PluginConfig | undefined;
  readonly atof: string | undefined;
  /** The configuration's files, those that would count if they were there too. */
  readonly files: readonly string[];
  readonly summary: boolean;
  readonly dryRun: boolean;
  readonly json: boolean;
}

/** Where a command runs. */
export interface Surroundings {
  readonly cwd: string;
  /** Says where the user's plugins and configuration are. Without it nothing is taken from there. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** Reads flags, variables and the configuration's files. Throws `config.*`. */
export function readOptions(
  flags: GatewayFlags & { readonly summary?: boolean },
  surroundings: Surroundings,
): GatewayOptions {
  const { cwd, env } = surroundings;
  const configuration = readConfiguration(flags, surroundings);
  const { bind, plugins, installed, atof, unknownPaths, components, summary } = configuration;
  const { user, project } = configFiles(flags, surroundings);
  return {
    ...bind.value,
    ...upstreamsOf(configuration),
    roots: {},
    scopes: env === undefined ? undefined : findScopes(cwd, env),
    installed: installed.value,
    manifests: plugins.value,
    unknownPaths: unknownPaths.value,
    components: components.value,
    atof: atof.value,
    files: [user, project].filter((path) => path !== undefined),
    summary: summary.value,
    dryRun: flags.dryRun ?? false,
    json: flags.json ?? false,
  };
}

function upstreamsOf({ upstreams }: Configuration): Pick<GatewayOptions, "upstreams" | "keys"> {
  const entries = Object.entries(upstreams).map(([name, { value }]) => ({ name, ...value }));
  return {
    upstreams: Object.fromEntries(entries.map(({ name, url }) => [name, url])),
    keys: Object.fromEntries(entries.flatMap(({ name, key }) => (key === undefined ? [] : [[name, key]]))),
  };
}
