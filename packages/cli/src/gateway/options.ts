/** What `troupe gateway` was asked for. */
import { resolve } from "node:path";
import { findScopes, type Scopes } from "@troupe/plugins";
import { optionErrors } from "../errors.ts";
import { isLoopback } from "./access.ts";
import type { UpstreamUrls } from "./upstreams.ts";

/** As typed. */
export interface GatewayFlags {
  readonly bind: string;
  /** An address for all, or `openai=…`, `anthropic=…`, `gemini=…`. */
  readonly upstream?: readonly string[];
  readonly plugin: readonly string[];
  /** False: installed plugins aren't activated. */
  readonly installed?: boolean;
  readonly atof?: string;
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

/** Checked; paths are absolute. */
export interface GatewayOptions {
  readonly host: string;
  readonly port: number;
  readonly upstreams: UpstreamUrls;
  /** Paths of manifests. */
  readonly manifests: readonly string[];
  /** Where installed plugins, and the policy, are; undefined: neither counts. */
  readonly scopes: Scopes | undefined;
  readonly atof: string | undefined;
  readonly dryRun: boolean;
  readonly json: boolean;
}

/** Where a command runs. */
export interface Surroundings {
  readonly cwd: string;
  /** Says where the user's plugins are. Without it nothing is taken from there. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** Throws `config.invalid_option` and `config.unsafe_bind`. */
export function readOptions(flags: GatewayFlags, { cwd, env }: Surroundings): GatewayOptions {
  return {
    ...readBind(flags.bind),
    upstreams: readUpstreams(flags.upstream ?? []),
    scopes: env === undefined || flags.installed === false ? undefined : findScopes(cwd, env),
    manifests: flags.plugin.map((path) => resolve(cwd, path)),
    atof: flags.atof === undefined ? undefined : resolve(cwd, flags.atof),
    dryRun: flags.dryRun ?? false,
    json: flags.json ?? false,
  };
}

function readBind(bind: string): { host: string; port: number } {
  const [, bracketed, name, digits] = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(bind) ?? [];
  const host = bracketed ?? name;
  const port = Number(digits);
  if (host === undefined || port > 65_535)
    throw optionErrors.invalid("--bind", bind, "an address and a port, as 127.0.0.1:4040");
  if (!isLoopback(host)) throw optionErrors.unsafeBind(host);
  return { host, port };
}

function readUpstreams(given: readonly string[]): UpstreamUrls {
  const urls: Record<string, URL> = {};
  for (const text of given) {
    const [, family = "any", address = ""] = /^(?:(openai|anthropic|gemini)=)?(.*)$/s.exec(text) ?? [];
    if (family in urls)
      throw optionErrors.invalid("--upstream", text, "given once for all, and once for each provider");
    urls[family] = readUpstream(text, address);
  }
  return urls;
}

function readUpstream(text: string, address: string): URL {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url !== undefined && /^https?:$/.test(url.protocol) && url.search === "" && url.hash === "") return url;
  throw optionErrors.invalid(
    "--upstream",
    text,
    "an http or https address without query, or openai=, anthropic= or gemini= and one",
  );
}
