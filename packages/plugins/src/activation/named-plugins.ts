/**
 * Named plugins: those that a registry's definitions name by `pluginActor`. A plugin is more than its actors: one that may have
 * middleware runs beside the registry's own, once for all that name it, and so its guardrails are in force before the first
 * actor runs, and as long as any does. Its actors alone would run without what it guards them by.
 *
 * Of one that can't be read nobody knows what it guards, or whether the program may run without it. So nothing starts without
 * it, unless the definition says `startup: "optional"`. A reload reads all of them anew: what isn't installed or enabled
 * any more goes, as its user said, and any other that can't be read undoes the reload.
 */
import { realpath } from "node:fs/promises";
import { isDeepStrictEqual } from "node:util";
import { type Logger, TroupeError } from "@troupe/base";
import type { NamedPluginView, PluginNaming } from "@troupe/runtime";
import { activationErrors } from "../errors.ts";
import { namedErrors } from "./named-errors.ts";
import { findPlugin, idOf, isReference, type PluginReference } from "./named-plugin.ts";
import { manifestOf, nameOf, type ReadPlugin } from "./plugin-source.ts";

/** What a definition says of its plugin. */
export interface Naming extends PluginNaming {
  readonly plugin: PluginReference;
}

/** Finds a plugin that is named, and reads its manifest. Throws as `findPlugin` and `manifestOf` do. */
export async function readNamed({ plugin, config, startup }: Naming): Promise<ReadPlugin> {
  const { source, policy } = await findPlugin(plugin);
  const configured = config === undefined ? source : { ...source, config };
  const manifest = await manifestOf(source, policy);
  return { source: configured, policy, manifest: { ...manifest, ...(startup && { startup }) } };
}

/** It has what a relay would be guarded by, or tells. It declares nothing that its capabilities don't list. */
export function mayGuard({ source, manifest }: Pick<ReadPlugin, "source" | "manifest">): boolean {
  if ("plugin" in source) return (source.plugin.middleware?.length ?? 0) > 0;
  return manifest.capabilities.includes("middleware");
}

/** What was read of them at one start, or reload. */
export interface NamedReading {
  /** Those that are to run beside the registry's own. */
  readonly beside: readonly ReadPlugin[];
  /** By who names it. Absent: one of the registry's own by its id, or one that couldn't be read and is optional. */
  readonly found: ReadonlyMap<PluginNaming, NamedPluginView>;
}

/** Those of one registry. */
export class NamedPlugins {
  readonly #namings: readonly Naming[];
  readonly #log: Logger;

  /** `namings` may be those of another copy of the package. */
  constructor(namings: readonly PluginNaming[], log: Logger) {
    this.#namings = namings.filter(isNaming);
    this.#log = log;
  }

  /**
   * Reads them now, for a registry that has `own`. `before`: what was read of them the last time; undefined: this is the start.
   * Throws `plugin.required_failed` with the cause where one can't be read, and `plugin.id_taken` and `plugin.named_twice` where
   * others of the same id are meant, or the same one configured otherwise.
   */
  async read(own: readonly ReadPlugin[], before: NamedReading | undefined): Promise<NamedReading> {
    const beside: ReadPlugin[] = [];
    const found = new Map<PluginNaming, NamedPluginView>();
    const all = [...own];
    for (const naming of this.#namings) {
      if (own.some(({ manifest }) => manifest.id === idOf(naming.plugin))) continue;
      const read = await this.#read(naming, before);
      if (read === undefined) continue;
      const { id } = read.manifest;
      const same = all.find(({ manifest }) => manifest.id === id);
      if (same === undefined) {
        all.push(read);
        if (mayGuard(read)) beside.push(read);
      } else await checkSame(same, read, own.includes(same));
      const runs = [...own, ...beside].some(({ manifest }) => manifest.id === id);
      found.set(naming, { id, runs, read });
    }
    return { beside, found };
  }

  async #read(naming: Naming, before: NamedReading | undefined): Promise<ReadPlugin | undefined> {
    try {
      return await readNamed(naming);
    } catch (error) {
      if (!TroupeError.is(error)) throw error;
      // Behind the start that is its user's decision, who may be told no more.
      const gone = before !== undefined && (error.code === "not_added" || error.code === "not_enabled");
      const maySkip = naming.startup === "optional" && before?.found.has(naming) !== true;
      if (!gone && !maySkip) throw namedErrors.unread(wordsFor(naming.plugin), error, before === undefined);
      this.#log.warn("a plugin that an actor names can't be found, and nothing of it is in force", { error });
      return undefined;
    }
  }
}

/** What a set gives back of `NamedReading`, which may be another copy's. */
export function isRead(read: unknown): read is ReadPlugin {
  return typeof read === "object" && read !== null && "source" in read && "manifest" in read;
}

function isNaming(naming: PluginNaming): naming is Naming {
  return isReference(naming.plugin);
}

function wordsFor(plugin: PluginReference): string {
  return typeof plugin === "string" || plugin instanceof URL ? String(plugin) : nameOf(plugin);
}

/** An id is one plugin's: they would guard under one name, and a call would be for either. */
async function checkSame(there: ReadPlugin, read: ReadPlugin, isOwn: boolean): Promise<void> {
  const { id } = read.manifest;
  const files = [there, read].map(({ manifest }) => manifest.origin.file);
  const [one, other] = await Promise.all(files.map((file) => realpath(file).catch(() => file)));
  if (one !== other) throw activationErrors.idTaken(id, files);
  // What has actors alone is opened for each that names it, as that one says.
  if (!isOwn && !mayGuard(there) && !mayGuard(read)) return;
  // One of the registry's own is configured there, which its first caller hears.
  if (!(isOwn ? sameCode(there, read) : sameSettings(there, read))) throw namedErrors.twice(id);
}

function sameSettings(one: ReadPlugin, other: ReadPlugin): boolean {
  return (
    one.manifest.startup === other.manifest.startup && isDeepStrictEqual(settingsOf(one), settingsOf(other))
  );
}

/** Where it is was compared: a path may be said in several ways. */
function settingsOf({ source }: ReadPlugin): unknown {
  return "manifest" in source ? { ...source, manifest: undefined } : source;
}

/** What is described in code has no file of its own. */
function sameCode({ source: one }: ReadPlugin, { source: other }: ReadPlugin): boolean {
  if ("manifest" in one || "manifest" in other) return true;
  return isDeepStrictEqual({ ...one, config: undefined }, { ...other, config: undefined });
}
