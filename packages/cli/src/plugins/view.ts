/** A plugin as commands show it: what its list says of it, and what its files do. */
import {
  type InstalledPlugin,
  inspectPlugin,
  type PluginInspection,
  sourceOf,
  type TrustPolicy,
} from "@troupe/plugins/installed";

import { getsOf, type PluginGets } from "./gets.ts";

/** For programs: every key is always there. */
export interface PluginView {
  readonly id: string;
  readonly scope: string | null;
  readonly manifest: string;
  readonly name: string | null;
  readonly version: string | null;
  readonly kind: string | null;
  readonly startup: string | null;
  readonly capabilities: readonly string[];
  readonly enabled: boolean;
  readonly trusted: boolean;
  readonly pinned: boolean;
  readonly shadowed: boolean;
  /** Where its code would run; null: it wouldn't. */
  readonly runsIn: string | null;
  readonly file: string | null;
  /** What its code gets of the machine; null: its manifest can't be read. */
  readonly gets: PluginGets | null;
  readonly problem: { readonly code: string; readonly message: string } | null;
}

/** Looks at an installed plugin. Reads alone. */
export async function viewOf(plugin: InstalledPlugin, policy: TrustPolicy): Promise<PluginView> {
  const inspection = await inspectPlugin(sourceOf(plugin), policy);
  return view(plugin, inspection);
}

/** A view of what was found. */
export function view(plugin: InstalledPlugin | undefined, found: PluginInspection): PluginView {
  const { manifest, problem } = found;
  return {
    id: plugin?.id ?? found.id ?? "",
    scope: plugin?.scope ?? null,
    manifest: plugin?.manifest ?? found.source,
    name: manifest?.name ?? null,
    version: found.version ?? null,
    kind: found.kind ?? null,
    startup: found.startup ?? null,
    capabilities: manifest?.capabilities ?? [],
    enabled: plugin?.enabled ?? false,
    trusted: plugin?.trusted ?? false,
    pinned: plugin?.pins !== undefined,
    shadowed: plugin?.shadowed ?? false,
    runsIn: found.runsIn ?? null,
    file: found.file ?? null,
    gets: getsOf(found),
    problem:
      problem === undefined ? null : { code: `${problem.group}.${problem.code}`, message: problem.message },
  };
}

/** In a word or two. */
export function stateOf({ enabled, shadowed, problem }: PluginView): string {
  if (shadowed) return "shadowed";
  const chosen = enabled ? "enabled" : "disabled";
  return problem === null ? chosen : `${chosen}, can't run`;
}
