/**
 * Settings of a `troupe.toml`. Paths in it are relative to its folder. Keys of providers aren't in it: a file is copied, shown and kept in a
 * repository, so it says where a key is.
 */
import { homedir } from "node:os";
import { dirname, resolve } from "node:path";
import type { PluginConfig } from "@troupe/relay/plugin";
import { configErrors } from "../errors.ts";
import {
  type Given,
  type KeySource,
  type Sourced,
  type UpstreamName,
  type UpstreamSetting,
  upstreamNames,
} from "./setting.ts";
import { TomlFile } from "./toml-file.ts";
import { TomlTable } from "./toml-table.ts";
import { readBind, readUnknownPaths, readUpstreamUrl } from "./values.ts";

/** Words under which somebody would write the key itself. */
const secrets = ["key", "api_key", "apikey", "token", "auth", "authorization", "password", "secret"];

/** What the file says; undefined when there is none. Throws `config.*`. */
export function givenByFile(path: string): Given | undefined {
  const file = TomlFile.read(path);
  if (file === undefined) return undefined;
  const top = new TomlTable(file, file.values);
  const at = (name: string) => inFolder(dirname(path), name);
  const gateway = top.table("gateway");
  const run = top.table("run");
  const given = {
    bind: gateway.text("bind", readBind),
    plugins: gateway.texts("plugins", at),
    installed: gateway.flag("installed"),
    atof: gateway.text("atof", (_place, name) => at(name)),
    unknownPaths: gateway.text("unknown_paths", readUnknownPaths),
    summary: run.flag("summary"),
    components: componentsOf(top),
    upstreams: upstreamsOf(top.table("upstreams"), at),
  };
  for (const table of [top, gateway, run]) table.end();
  return withoutAbsent(given);
}

function upstreamsOf(table: TomlTable, at: (name: string) => string): NonNullable<Given["upstreams"]> {
  const found: Partial<Record<UpstreamName, Sourced<UpstreamSetting>>> = {};
  for (const name of upstreamNames) {
    if (!table.has(name)) continue;
    const upstream = table.table(name, 'a table, as { url = "https://…" }');
    const url = upstream.text("url", readUpstreamUrl);
    const key = keyOf(upstream, at);
    upstream.end();
    if (url === undefined) throw configErrors.missingKey(table.sourceOf(name), `upstreams.${name}.url`);
    found[name] = { value: { url: url.value, ...(key === undefined ? {} : { key }) }, source: url.source };
  }
  table.end();
  return found;
}

function keyOf(upstream: TomlTable, at: (name: string) => string): KeySource | undefined {
  const written = secrets.find((word) => upstream.has(word));
  if (written !== undefined) throw configErrors.keyInFile(upstream.placeOf(written));
  const variable = upstream.text("key_env", (_place, name) => name);
  const file = upstream.text("key_file", (_place, name) => at(name));
  if (variable !== undefined && file !== undefined) throw configErrors.twoKeys(upstream.placeOf("key_env"));
  if (variable !== undefined) return { variable: variable.value };
  return file === undefined ? undefined : { file: file.value };
}

/** The relay checks them, and here a key that it doesn't know is an error unless the document says otherwise. */
function componentsOf(top: TomlTable): Sourced<PluginConfig> | undefined {
  const document = top.whole("components");
  if (document === undefined) return undefined;
  const { policy } = document.value;
  const strict = { unknown_component: "error", unknown_field: "error" };
  return { ...document, value: { ...document.value, policy: { ...strict, ...Object(policy) } } };
}

function inFolder(folder: string, name: string): string {
  return name === "~" || name.startsWith("~/") ? resolve(homedir(), name.slice(2)) : resolve(folder, name);
}

function withoutAbsent<T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const present = Object.entries(values).filter(([, value]) => value !== undefined);
  return Object.fromEntries(present) as { [K in keyof T]?: Exclude<T[K], undefined> };
}
