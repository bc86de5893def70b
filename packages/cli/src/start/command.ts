/**
 * `troupe start`: runs the registry that a program exports, with its plugins, until it is asked to end.
 *
 * The program is the user's own code, and is imported. SIGHUP reloads the plugins that it was set up with; a reload that
 * fails changes nothing.
 */
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { TroupeError } from "@troupe/base";
import { startErrors } from "../errors.ts";
import type { Terminal } from "../gateway/command.ts";
import { readPort } from "./port.ts";

/** As typed. */
export interface StartFlags {
  readonly port?: string;
  readonly host?: string;
  readonly data?: string;
}

/** A registry, as this command sees it: it may be of another copy of the package. */
interface RunnableRegistry {
  readonly config: { readonly plugins?: { readonly reload?: () => Promise<void> } };
  start(options: object): Promise<unknown>;
  stop(): Promise<void>;
}

/** Runs it. Throws `config.program_failed`, `config.no_registry`, and what the registry's start throws. */
export async function startProgram(file: string, flags: StartFlags, terminal: Terminal): Promise<void> {
  const asked = terminal.asked();
  const registry = await importRegistry(resolve(terminal.cwd, file));
  await registry.start({
    ...(flags.port !== undefined && { port: readPort(flags.port) }),
    ...(flags.host !== undefined && { host: flags.host }),
    ...(flags.data !== undefined && { dataDir: resolve(terminal.cwd, flags.data) }),
    signals: false,
  });
  terminal.onReload?.(() => void reload(registry).then((line) => terminal.out(`${line}\n`)));
  await asked;
  await registry.stop();
}

async function importRegistry(path: string): Promise<RunnableRegistry> {
  const exported: Record<string, unknown> = await import(pathToFileURL(path).href).catch((cause: unknown) => {
    throw startErrors.programFailed(path, cause);
  });
  const registry = [exported.registry, exported.default].find(isRegistry);
  if (registry === undefined) throw startErrors.noRegistry(path);
  return registry;
}

function isRegistry(value: unknown): value is RunnableRegistry {
  return (
    typeof value === "object" &&
    value !== null &&
    "start" in value &&
    typeof value.start === "function" &&
    "stop" in value &&
    typeof value.stop === "function" &&
    "config" in value &&
    typeof value.config === "object"
  );
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
