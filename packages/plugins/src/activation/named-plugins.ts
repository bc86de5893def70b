/**
 * Named plugins: those that a registry's definitions name by `pluginActor`. A plugin is more than its actors: one that may have
 * middleware runs beside the registry's own, once for all that name it, and so its guardrails are in force before the first
 * actor runs, and as long as any does. Its actors alone would run without what it guards them by.
 *
 * One that can't be found is told of, and is its first caller's to hear of. A reload finds all of them anew: what isn't installed or
 * enabled any more goes, and one that was in force and can't be read undoes the reload.
 */
import { isDeepStrictEqual } from "node:util";
import { type Logger, TroupeError } from "@troupe/base";
import type { PluginNaming } from "@troupe/runtime";
import { activationErrors } from "../errors.ts";
import { findPlugin, idOf, isReference, type PluginReference } from "./named-plugin.ts";
import { manifestOf, type ReadPlugin } from "./plugin-source.ts";

/** What a definition says of its plugin. */
export interface Naming {
  readonly plugin: PluginReference;
  readonly config: unknown;
}

/** Finds a plugin that is named, and reads its manifest. Throws as `findPlugin` and `manifestOf` do. */
export async function readNamed({ plugin, config }: Naming): Promise<ReadPlugin> {
  const { source, policy } = await findPlugin(plugin);
  const configured = config === undefined ? source : { ...source, config };
  return { source: configured, policy, manifest: await manifestOf(source, policy) };
}

/** It has what a relay would be guarded by, or tells. It declares nothing that its capabilities don't list. */
export function mayGuard({ source, manifest }: Pick<ReadPlugin, "source" | "manifest">): boolean {
  if ("plugin" in source) return (source.plugin.middleware?.length ?? 0) > 0;
  return manifest.capabilities.includes("middleware");
}

/** Those of one registry. */
export class NamedPlugins {
  readonly #namings: readonly Naming[];
  readonly #log: Logger;
  /** Those that could be read the last time: a guardrail doesn't go because its manifest is broken. */
  readonly #wereRead = new Set<Naming>();
  #ids: ReadonlySet<string> = new Set();

  /** `namings` may be those of another copy of the package. */
  constructor(namings: readonly PluginNaming[], log: Logger) {
    this.#namings = namings.flatMap(({ plugin, config }) => (isReference(plugin) ? { plugin, config } : []));
    this.#log = log;
  }

  /** True: it runs because it is named, and isn't one of the registry's own. */
  has(id: string): boolean {
    return this.#ids.has(id);
  }

  /**
   * Those that are to run beside `own`, read now. `elsewhere`: ids that another set of the registry has. Throws `plugin.id_taken`
   * and `plugin.named_twice` where others of the same id are meant, or the same one configured otherwise.
   */
  async beside(
    own: readonly ReadPlugin[],
    elsewhere: readonly string[] = [],
  ): Promise<readonly ReadPlugin[]> {
    const beside: ReadPlugin[] = [];
    const had = [...elsewhere, ...own.map(({ manifest }) => manifest.id)];
    for (const naming of this.#namings) {
      if (had.includes(idOf(naming.plugin) ?? "")) continue;
      const read = await this.#read(naming);
      if (read === undefined || !mayGuard(read) || elsewhere.includes(read.manifest.id)) continue;
      const { id } = read.manifest;
      const same = [...own, ...beside].find((one) => one.manifest.id === id);
      if (same === undefined) beside.push(read);
      else checkSame(same, read, beside.includes(same));
    }
    this.#ids = new Set(beside.map(({ manifest }) => manifest.id));
    return beside;
  }

  async #read(naming: Naming): Promise<ReadPlugin | undefined> {
    try {
      const read = await readNamed(naming);
      this.#wereRead.add(naming);
      return read;
    } catch (error) {
      if (!TroupeError.is(error)) throw error;
      const gone = error.code === "not_added" || error.code === "not_enabled";
      if (this.#wereRead.has(naming) && !gone) throw error;
      this.#wereRead.delete(naming);
      this.#log.warn("a plugin that an actor names can't be found, and nothing of it is in force", { error });
      return undefined;
    }
  }
}

/** They would guard under one name. */
function checkSame(there: ReadPlugin, read: ReadPlugin, configured: boolean): void {
  const { id } = read.manifest;
  const files = [there, read].map(({ manifest }) => manifest.origin.file);
  if (files[0] !== files[1]) throw activationErrors.idTaken(id, files);
  // One of the registry's own is configured there, which its first caller hears.
  const alike = configured ? isDeepStrictEqual(there.source, read.source) : sameCode(there, read);
  if (!alike) throw activationErrors.namedTwice(id);
}

/** What is described in code has no file of its own. */
function sameCode({ source: one }: ReadPlugin, { source: other }: ReadPlugin): boolean {
  if ("manifest" in one || "manifest" in other) return true;
  return isDeepStrictEqual({ ...one, config: undefined }, { ...other, config: undefined });
}
