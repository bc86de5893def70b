/**
 * Manifest: what `troupe-plugin.toml` says of a plugin, before any of its code runs.
 *
 * Everything is refused that isn't known: a key, a value, a path that leads out of the manifest's folder. The published
 * schema, `troupe-plugin.schema.json`, says the same to editors; a test holds the two together.
 */
import { dirname, isAbsolute, win32 } from "node:path";
import semver from "semver";
import { parse } from "smol-toml";
import { manifestErrors } from "../errors.ts";
import { TROUPE_VERSION } from "../version.ts";
import type { Origin } from "./checked-file.ts";
import { Table, type TextRule } from "./table.ts";

/** The name of the file. */
export const MANIFEST_NAME = "troupe-plugin.toml";

/** What a plugin may contribute. */
export type Capability = "actors" | "middleware";

/** What happens to the host when the plugin can't be started. */
export type Startup = "required" | "optional";

/** A plugin, as it says itself. */
export interface PluginManifest {
  readonly origin: Origin;
  /** Unique among the plugins of a host. */
  readonly id: string;
  /** For people; the id where none is given. */
  readonly name: string;
  readonly version: string;
  /** What the plugin may declare. More than that, and it isn't activated. */
  readonly capabilities: readonly Capability[];
  /** Default: required. */
  readonly startup: Startup;
  readonly load: NativeLoad | WorkerLoad;
}

/** A shared library, loaded into the host's process. */
export interface NativeLoad {
  readonly kind: "native";
  /** Relative to the manifest. */
  readonly library: string;
  /** Of the library, 64 hexadecimal digits. Code that runs in the host's process is always pinned. */
  readonly sha256: string;
}

/** An executable that runs as a process of its own. */
export interface WorkerLoad {
  readonly kind: "worker";
  /** `node`: an ES module, run by the host's own Node. `command`: a program. */
  readonly runtime: WorkerRuntime;
  /** Relative to the manifest. */
  readonly entrypoint: string;
  /** Arguments of the program. */
  readonly args: readonly string[];
  /** Names of the host's environment variables that the process gets. It gets no other. */
  readonly env: readonly string[];
  /** Of the entry point, 64 hexadecimal digits: then exactly these bytes are run. */
  readonly sha256: string | undefined;
}

/** How a worker is run. */
export type WorkerRuntime = "node" | "command";

/** Reads a manifest's text. Throws `plugin.manifest_*`, and `plugin.incompatible` for another Troupe's plugin. */
export function parseManifest(text: string, file: string): PluginManifest {
  const root = new Table(file, parseToml(text, file));
  root.exactly("manifest_version", 1);
  const plugin = root.table("plugin");
  const id = plugin.text("id", rules.id);
  const name = plugin.optionalText("name", rules.name) ?? id;
  const version = plugin.text("version", rules.version);
  const kind = plugin.oneOf("kind", ["native", "worker"]);
  plugin.end();
  checkCompatibility(root.table("compat"), file);
  const capabilities = root.texts("capabilities", rules.capability).filter(isCapability);
  const startup = root.oneOf<Startup>("startup", ["required", "optional"], "required");
  const load = readLoad(kind, root.table("load"), root.table("integrity"));
  root.end();
  return { origin: { file, folder: dirname(file) }, id, name, version, capabilities, startup, load };
}

function parseToml(text: string, file: string): Readonly<Record<string, unknown>> {
  try {
    return parse(text);
  } catch (cause) {
    throw manifestErrors.malformed(file, cause);
  }
}

function checkCompatibility(compat: Table, file: string): void {
  const range = compat.text("troupe", rules.range);
  compat.end();
  if (!semver.satisfies(TROUPE_VERSION, range))
    throw manifestErrors.incompatible(file, range, TROUPE_VERSION);
}

function readLoad(kind: "native" | "worker", load: Table, integrity: Table): NativeLoad | WorkerLoad {
  const read = kind === "native" ? readNative(load, integrity) : readWorker(load, integrity);
  load.end();
  integrity.end();
  return read;
}

function readNative(load: Table, integrity: Table): NativeLoad {
  return {
    kind: "native",
    library: load.text("library", rules.path),
    sha256: integrity.text("sha256", rules.digest),
  };
}

function readWorker(load: Table, integrity: Table): WorkerLoad {
  return {
    kind: "worker",
    runtime: load.oneOf<WorkerRuntime>("runtime", ["node", "command"]),
    entrypoint: load.text("entrypoint", rules.path),
    args: load.list("args", rules.argument),
    env: load.texts("env", rules.variable),
    sha256: integrity.optionalText("sha256", rules.digest),
  };
}

const capabilities: readonly Capability[] = ["actors", "middleware"];

function isCapability(name: string): name is Capability {
  return capabilities.some((known) => known === name);
}

const rules = {
  id: matching(/^[a-z][a-z0-9-]{0,63}$/, "a lower-case letter, then at most 63 letters, digits and hyphens"),
  name: matching(/^[^\p{Cc}]{1,200}$/u, "a text of 1 to 200 characters"),
  version: { accepted: 'a version as "1.2.3"', test: (text) => semver.valid(text) === text },
  range: {
    accepted: 'a range of versions as ">=0.1.0 <0.2.0"',
    test: (text) => semver.validRange(text) !== null,
  },
  capability: { accepted: capabilities.map((name) => `"${name}"`).join(" or "), test: isCapability },
  digest: matching(/^[0-9a-f]{64}$/, "a SHA-256, 64 lower-case hexadecimal digits"),
  path: {
    accepted: 'a path inside the manifest\'s folder, with "/" between names and without "." and ".."',
    test: isInnerPath,
  },
  argument: { accepted: "a text without NUL", test: (text) => !text.includes("\0") },
  variable: matching(/^[A-Za-z_][A-Za-z0-9_]*$/, "the name of an environment variable"),
} as const satisfies Record<string, TextRule>;

function matching(pattern: RegExp, accepted: string): TextRule {
  return { accepted, test: (text) => pattern.test(text) };
}

function isInnerPath(path: string): boolean {
  if (isAbsolute(path) || win32.isAbsolute(path) || /[\\\0:]/.test(path)) return false;
  return path.split("/").every((name) => name !== "" && name !== "." && name !== "..");
}
