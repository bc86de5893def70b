/** The registry that a program exports. The program is the user's own code, and is imported. */
import { pathToFileURL } from "node:url";
import { startErrors } from "../errors.ts";
import type { ReloadableSet } from "./start-plugins.ts";

/** A registry, as the commands see it: it may be of another copy of the package. */
export interface RunnableRegistry {
  readonly config: { readonly plugins?: ReloadableSet };
  start(options: object): Promise<{ readonly endpoint: string }>;
  startHost(options: object): Promise<RunningHost>;
  stop(): Promise<void>;
}

/** A host that runs. */
export interface RunningHost {
  readonly over: Promise<void>;
  drain(): Promise<void>;
}

/** Throws `config.program_failed`, `config.no_registry`. */
export async function importRegistry(path: string): Promise<RunnableRegistry> {
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
    "startHost" in value &&
    typeof value.startHost === "function" &&
    "stop" in value &&
    typeof value.stop === "function" &&
    "config" in value &&
    typeof value.config === "object"
  );
}
