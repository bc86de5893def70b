/** Settings as they are typed: flags, and the variables that stand for them. */
import { delimiter, resolve } from "node:path";
import { optionErrors } from "../errors.ts";
import type { GatewayFlags } from "../gateway/options.ts";
import {
  type Given,
  type Sourced,
  type UpstreamName,
  type UpstreamSetting,
  upstreamNames,
} from "./setting.ts";
import { readBind, readFlag, readUpstreamUrl } from "./values.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** Throws `config.invalid_option` and `config.unsafe_bind`. */
export function givenByFlags(flags: GatewayFlags & { readonly summary?: boolean }, cwd: string): Given {
  const { bind, plugin = [], upstream = [], installed, atof, summary } = flags;
  return {
    ...(bind === undefined ? {} : { bind: { value: readBind("--bind", bind), source: "--bind" } }),
    ...(plugin.length === 0
      ? {}
      : { plugins: { value: plugin.map((path) => resolve(cwd, path)), source: "--plugin" } }),
    ...(installed === false ? { installed: { value: false, source: "--no-installed" } } : {}),
    ...(summary === false ? { summary: { value: false, source: "--no-summary" } } : {}),
    ...(atof === undefined ? {} : { atof: { value: resolve(cwd, atof), source: "--atof" } }),
    ...(upstream.length === 0 ? {} : { upstreams: readUpstreams("--upstream", upstream) }),
  };
}

/** An empty variable is none. Throws as `givenByFlags` does. */
export function givenByEnvironment(env: Environment, cwd: string): Given {
  const bind = env["TROUPE_BIND"];
  const plugins = env["TROUPE_PLUGINS"];
  const installed = env["TROUPE_INSTALLED"];
  const atof = env["TROUPE_ATOF"];
  const summary = env["TROUPE_SUMMARY"];
  const upstreams = env["TROUPE_UPSTREAM"];
  return {
    ...(bind ? { bind: { value: readBind("TROUPE_BIND", bind), source: "TROUPE_BIND" } } : {}),
    ...(plugins ? { plugins: { value: pathsOf(plugins, cwd), source: "TROUPE_PLUGINS" } } : {}),
    ...(installed ? { installed: flagOf("TROUPE_INSTALLED", installed) } : {}),
    ...(summary ? { summary: flagOf("TROUPE_SUMMARY", summary) } : {}),
    ...(atof ? { atof: { value: resolve(cwd, atof), source: "TROUPE_ATOF" } } : {}),
    ...(upstreams ? { upstreams: readUpstreams("TROUPE_UPSTREAM", upstreams.trim().split(/\s+/)) } : {}),
  };
}

function flagOf(name: string, text: string): Sourced<boolean> {
  return { value: readFlag(name, text), source: name };
}

function pathsOf(text: string, cwd: string): readonly string[] {
  return text
    .split(delimiter)
    .filter((path) => path !== "")
    .map((path) => resolve(cwd, path));
}

/** `https://…` for all, `openai=https://…` for one of them. */
function readUpstreams(source: string, given: readonly string[]): NonNullable<Given["upstreams"]> {
  const upstreams: Partial<Record<UpstreamName, Sourced<UpstreamSetting>>> = {};
  for (const text of given) {
    const [, word = "any", address = ""] = /^(?:(openai|anthropic|gemini)=)?(.*)$/s.exec(text) ?? [];
    const name = upstreamNames.find((known) => known === word) ?? "any";
    // Whoever has a file writes them as they stand there.
    if (/^\w+=/.test(address))
      throw optionErrors.invalid(
        source,
        text.replace(/=.*/s, "=…"),
        "one of openai=, anthropic= and gemini=, or an address alone, which is for all",
      );
    if (upstreams[name] !== undefined)
      throw optionErrors.invalid(source, text, "given once for all, and once for each provider");
    upstreams[name] = { value: { url: readUpstreamUrl(source, address) }, source };
  }
  return upstreams;
}
