/** The configuration of a gateway: what flags, variables and files say, each with where it was said. */
import { resolve } from "node:path";
import { findScopes } from "@troupe/plugins/scopes";
import { configErrors } from "../errors.ts";
import type { GatewayFlags, Surroundings } from "../gateway/options.ts";
import { givenByFile } from "./from-file.ts";
import { givenByEnvironment, givenByFlags } from "./from-words.ts";
import { type Configuration, configured, type Given } from "./setting.ts";

/** Each file's name. */
const CONFIG_NAME = "troupe.toml";

/** The files that count; undefined: there is none. */
export interface ConfigFiles {
  /** `$XDG_CONFIG_HOME/troupe/troupe.toml`; it needn't be there. */
  readonly user: string | undefined;
  /** What `--config` or `TROUPE_CONFIG` names. Nothing is taken from a folder because somebody stands in it. */
  readonly project: string | undefined;
}

/** As typed. */
export type ConfigFlags = GatewayFlags & { readonly summary?: boolean };

/** Which files it comes from. */
export function configFiles({ config }: ConfigFlags, { cwd, env }: Surroundings): ConfigFiles {
  const named = config ?? env?.["TROUPE_CONFIG"];
  return {
    user: env === undefined ? undefined : resolve(findScopes(cwd, env).user, CONFIG_NAME),
    project: named === undefined || named === "" ? undefined : resolve(cwd, named),
  };
}

/** Reads it. Throws `config.*`. */
export function readConfiguration(flags: ConfigFlags, surroundings: Surroundings): Configuration {
  const { cwd, env } = surroundings;
  const files = configFiles(flags, surroundings);
  const user = files.user === undefined ? {} : (givenByFile(files.user) ?? {});
  return configured([
    user,
    projectOf(files.project),
    env === undefined ? {} : givenByEnvironment(env, cwd),
    givenByFlags(flags, cwd),
  ]);
}

function projectOf(path: string | undefined): Given {
  if (path === undefined) return {};
  const given = givenByFile(path);
  if (given === undefined) throw configErrors.missing(path);
  return given;
}
