/** `troupe config`: what the configuration comes to, and where each value was said. It reads, and does nothing else. */
import type { Terminal } from "../gateway/command.ts";
import { type ConfigFlags, readConfiguration } from "./configuration.ts";
import { type Configuration, names, type Settings, type UpstreamSetting } from "./setting.ts";
import { tomlText } from "./toml-text.ts";

/** As typed. */
export interface ConfigShowFlags extends ConfigFlags {
  readonly sources?: boolean;
}

/** A value as it is shown. */
interface Shown {
  readonly name: string;
  readonly value: unknown;
  readonly source: string;
}

/** Shows it. Throws `config.*`. */
export function showConfiguration(flags: ConfigShowFlags, terminal: Terminal): void {
  const values = shown(readConfiguration(flags, terminal));
  if (flags.json ?? false) {
    const entries = values.map(({ name, value, source }) => [
      name,
      flags.sources ? { value, source } : value,
    ]);
    terminal.out(`${JSON.stringify(Object.fromEntries(entries))}\n`);
    return;
  }
  const lines = values.map(({ name, value, source }) => {
    // What is read back may not have it: TOML knows no nothing.
    const line = value === null ? `# ${name} isn't set` : `${name} = ${tomlText(value)}`;
    return flags.sources && value !== null ? `${line}  # ${source}` : line;
  });
  terminal.out(`${lines.join("\n")}\n`);
}

function shown({ upstreams, ...settings }: Configuration): readonly Shown[] {
  const { bind } = settings;
  const host = bind.value.host.includes(":") ? `[${bind.value.host}]` : bind.value.host;
  const one = (key: keyof Settings, value: unknown = settings[key].value ?? null): Shown => ({
    name: names[key],
    value,
    source: settings[key].source,
  });
  return [
    one("bind", `${host}:${bind.value.port}`),
    ...(["plugins", "installed", "atof", "unknownPaths", "summary", "components"] as const).map((key) =>
      one(key),
    ),
    ...Object.entries(upstreams).map(([name, { value, source }]) => ({
      name: `upstreams.${name}`,
      value: upstreamShown(value),
      source,
    })),
  ];
}

/** Where a key is, and never the key. */
function upstreamShown({ url, key }: UpstreamSetting) {
  if (key === undefined) return { url: url.href };
  return { url: url.href, ...("variable" in key ? { key_env: key.variable } : { key_file: key.file }) };
}
