/**
 * `troupe start`: runs the registry that a program exports, with its plugins and those that are installed and enabled, until it
 * is asked to end.
 *
 * SIGHUP reloads the plugins; a reload that fails changes nothing.
 */
import { resolve } from "node:path";
import { TroupeError } from "@troupe/base";
import { findScopes } from "@troupe/plugins/scopes";
import type { RunTerminal } from "../run/command.ts";
import { readHosts, startWithHosts } from "./hosts/command.ts";
import { readPort } from "./port.ts";
import { importRegistry } from "./registry-of.ts";
import { type ReloadableSet, StartPlugins } from "./start-plugins.ts";

/** As typed. */
export interface StartFlags {
  readonly port?: string;
  readonly host?: string;
  readonly data?: string;
  readonly hosts?: string;
  /** False: installed plugins aren't activated. */
  readonly installed?: boolean;
}

/** Runs it. Throws `config.program_failed`, `config.no_registry`, and what the registry's start throws. */
export async function startProgram(file: string, flags: StartFlags, terminal: RunTerminal): Promise<void> {
  const asked = terminal.asked();
  const count = flags.hosts === undefined ? undefined : readHosts(flags.hosts);
  const registry = await importRegistry(resolve(terminal.cwd, file));
  const plugins = pluginsOf(registry.config.plugins, flags, terminal);
  const start = {
    plugins,
    ...(flags.port !== undefined && { port: readPort(flags.port) }),
    ...(flags.host !== undefined && { host: flags.host }),
    ...(flags.data !== undefined && { dataDir: resolve(terminal.cwd, flags.data) }),
    signals: false,
  };
  const running =
    count === undefined
      ? await registry.start(start).then(() => registry)
      : await startWithHosts(registry, file, { count, start, terminal });
  await plugins.checkStarted().catch(async (cause: unknown) => {
    await running.stop();
    throw cause;
  });
  const installed = plugins.banner();
  if (installed !== undefined) terminal.out(`troupe  ${installed}\n`);
  terminal.onReload?.(() => void reload(plugins).then((line) => terminal.out(`${line}\n`)));
  await asked;
  await running.stop();
}

/** What the environment doesn't tell of isn't there. */
function pluginsOf(
  own: ReloadableSet | undefined,
  { hosts, installed = true }: StartFlags,
  { cwd, env }: RunTerminal,
): StartPlugins {
  const scopes = installed && env !== undefined ? findScopes(cwd, env) : undefined;
  return new StartPlugins({ own, scopes, hosts: hosts !== undefined });
}

async function reload(plugins: StartPlugins): Promise<string> {
  try {
    if (!(await plugins.reload())) return "There are no plugins to reload";
    const unguarded = plugins.unguarded();
    return unguarded === undefined
      ? "Reloaded the plugins"
      : `Reloaded the plugins, and ${unguarded.message}`;
  } catch (error) {
    const why = TroupeError.is(error) ? `${error.message} [${error.group}.${error.code}]` : String(error);
    return `Not reloaded, everything is as it was: ${why}`;
  }
}
