/** What a plugin's code gets of the machine: its user should know before it runs. */
import type { PluginInspection } from "@troupe/plugins/installed";

/** For programs. */
export interface PluginGets {
  /** Names of the host's environment variables; "all": its code runs in the host's process. */
  readonly environment: "all" | readonly string[];
  readonly network: boolean;
  /** The files of the user who runs the host. */
  readonly files: boolean;
  /** Arguments of its program. */
  readonly args: readonly string[];
}

/**
 * What the code of a plugin would get; null: its manifest can't be read. `trusted`: that it may run in the host's process was
 * asked for, and isn't an assumption of the inspection.
 */
export function getsOf({ manifest, runsIn }: PluginInspection, trusted = true): PluginGets | null {
  if (manifest === undefined) return null;
  const { load } = manifest;
  const confined = load.kind === "isolate" || load.kind === "wasm";
  const [env, args] = load.kind === "worker" ? [load.env, load.args] : [[], []];
  // A module runs there or not at all.
  const inside = load.kind === "module" || (trusted && runsIn === "this process");
  const environment = inside ? "all" : env;
  return { environment, network: !confined, files: !confined, args };
}

/** The same for people, as the end of "It gets …". */
export function describeGets({ environment, network, files, args }: PluginGets): string {
  if (environment === "all") return "all that the host's process has";
  if (!network && !files) return "no files, no network, nothing of the environment";
  const given = args.length === 0 ? "" : `; the arguments ${JSON.stringify(args)}`;
  const variables = environment.length === 0 ? "nothing" : environment.join(", ");
  return `your files, the network, and of the host's environment ${variables}${given}`;
}
