/** What a program grants to the source of a dynamic actor beside the actor's own. Nothing of it is there by itself. */
import { fileURLToPath } from "node:url";
import { checkNetwork, type NetworkConfig } from "@troupe/runtime/egress";
import { dynamicErrors } from "../carriers/isolate/errors.ts";
import { type FileGrant, readFileGrants } from "./files/file-grants.ts";

/** What the source may use. It is the program's word, never the source's or a loader's. */
export interface DynamicGrants {
  /** `process.env` of the source: these variables, and no other. Default: there is no `process`. */
  readonly env?: Readonly<Record<string, string>>;
  /**
   * What it may import beside Troupe: names, and the `file:` URL of the ES module that each means, as `import.meta.resolve`
   * gives it. What such a module imports of its own package is granted with it. Default: none.
   */
  readonly packages?: Readonly<Record<string, string | URL>>;
  /**
   * What its `fetch` reaches, and the credentials that such requests carry without the source knowing them: `process.env` has a
   * placeholder for each. Default: nothing.
   */
  readonly network?: NetworkConfig;
  /** Folders of this machine that it reaches by `node:fs/promises`, which it may import then. Default: none, and there is no such module. */
  readonly files?: readonly FileGrant[];
}

/** The same, read. */
export interface ReadGrants extends IsolateGrants {
  readonly network: NetworkConfig;
  readonly files: readonly FileGrant[];
}

/** What of it goes to the isolate. */
export interface IsolateGrants {
  readonly env?: Readonly<Record<string, string>>;
  /** Paths by names. */
  readonly packages?: Readonly<Record<string, string>>;
}

/** Throws `dynamic.bad_option`, and `config.*` for a network that is none. */
export function readGrants({ env, packages, network = {}, files = [] }: DynamicGrants): ReadGrants {
  if (env !== undefined && !(isRecord(env) && Object.values(env).every((value) => typeof value === "string")))
    throw dynamicErrors.badOption("`env` must be an object of texts");
  if (packages !== undefined && !isRecord(packages))
    throw dynamicErrors.badOption("`packages` must be an object of file: URLs");
  if (!isRecord(network)) throw dynamicErrors.badOption("`network` must be an object with `allow`");
  checkNetwork(network);
  const twice = Object.keys(network.credentials ?? {}).find((name) => Object.hasOwn(env ?? {}, name));
  if (twice !== undefined) throw dynamicErrors.badOption(`"${twice}" is in \`env\` and a credential as well`);
  const paths = Object.entries(packages ?? {}).map(([name, url]) => [name, pathOf(name, url)] as const);
  return Object.freeze({
    network: structuredClone(network),
    files: readFileGrants(files),
    ...(env && { env: Object.freeze({ ...env }) }),
    ...(packages && { packages: Object.freeze(Object.fromEntries(paths)) }),
  });
}

function pathOf(name: string, given: unknown): string {
  if (name === "troupe" || name.startsWith("troupe/"))
    throw dynamicErrors.badOption(`"${name}" is Troupe's own, and there without a grant`);
  if (/^[./]|:/.test(name)) throw dynamicErrors.badOption(`"${name}" isn't a package's name`);
  const url = given instanceof URL ? given : String(given);
  if (URL.canParse(url) && new URL(url).protocol === "file:") return fileURLToPath(url);
  throw dynamicErrors.badOption(
    `\`packages\` must name "${name}" by a file: URL, as import.meta.resolve gives it`,
  );
}

function isRecord(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
