/**
 * `troupe start`: runs the registry that a program exports, with its plugins, until it is asked to end.
 *
 * SIGHUP reloads the plugins that it was set up with; a reload that
 * fails changes nothing.
 */
import { resolve } from "node:path";
import { TroupeError } from "@troupe/base";
import type { RunTerminal } from "../run/command.ts";
import { readHosts, startWithHosts } from "./hosts/command.ts";
import { readPort } from "./port.ts";
import { importRegistry, type RunnableRegistry } from "./registry-of.ts";

/** As typed. */
export interface StartFlags {
  readonly port?: string;
  readonly host?: string;
  readonly data?: string;
  readonly hosts?: string;
}

/** Runs it. Throws `config.program_failed`, `config.no_registry`, and what the registry's start throws. */
export async function startProgram(file: string, flags: StartFlags, terminal: RunTerminal): Promise<void> {
  const asked = terminal.asked();
  const count = flags.hosts === undefined ? undefined : readHosts(flags.hosts);
  const registry = await importRegistry(resolve(terminal.cwd, file));
  const start = {
    ...(flags.port !== undefined && { port: readPort(flags.port) }),
    ...(flags.host !== undefined && { host: flags.host }),
    ...(flags.data !== undefined && { dataDir: resolve(terminal.cwd, flags.data) }),
    signals: false,
  };
  const running =
    count === undefined
      ? await registry.start(start).then(() => registry)
      : await startWithHosts(registry, file, { count, start, terminal });
  terminal.onReload?.(() => void reload(registry).then((line) => terminal.out(`${line}\n`)));
  await asked;
  await running.stop();
}

async function reload({ config }: RunnableRegistry): Promise<string> {
  if (config.plugins?.reload === undefined) return "There are no plugins to reload";
  try {
    await config.plugins.reload();
    return "Reloaded the plugins";
  } catch (error) {
    const why = TroupeError.is(error) ? `${error.message} [${error.group}.${error.code}]` : String(error);
    return `Not reloaded, everything is as it was: ${why}`;
  }
}
