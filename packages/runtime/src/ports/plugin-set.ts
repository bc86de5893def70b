/**
 * Plugins of a program, as its registry sees them: they start before its door opens and end after its last actor sleeps.
 * A port: the runtime knows no plugin. `pluginSet` of `troupe/plugins` makes one.
 */
import type { Env } from "@troupe/base";
import type { Relay } from "@troupe/relay";
import type { ActorCarrier } from "./carried.ts";

/** A plugin, as people see it. */
export interface PluginView {
  readonly id: string;
  /** Null: nothing of it could be read. */
  readonly version: string | null;
  /** How it is run: module, isolate, wasm, native or worker. */
  readonly carrier: string | null;
  /** `degraded`: it crashed, and is being started again. `disabled`: it is gone, or was left out. */
  readonly state: "running" | "degraded" | "disabled";
  readonly calls: number;
  readonly failures: number;
  readonly crashes: number;
  readonly restarts: number;
  /** What is wrong, or was the last time: `group.code` and words. */
  readonly error: { readonly code: string; readonly message: string } | null;
}

/** A plugin that a definition names, whichever set its registry has. What a reference means is known to sets alone. */
export interface PluginNaming {
  readonly plugin: unknown;
  /** What the definition configures it with. Undefined: it is configured elsewhere, or not at all. */
  readonly config: unknown;
  /** `optional`: the program runs without it where it has to. Undefined: as the plugin says. */
  readonly startup?: "required" | "optional" | undefined;
  /** The set of a registry that was given none. */
  newSet(): PluginSet;
}

/** What a set knows of a plugin that is named. */
export interface NamedPluginView {
  readonly id: string;
  /** It is one of the set, whose actors are asked of `actor`. */
  readonly runs: boolean;
  /** What was read of it, for the package that the naming is of. */
  readonly read: unknown;
}

/** Plugins that start and end with a registry. */
export interface PluginSet {
  /**
   * Starts them, in `relay` where they have none of their own, and those of `named` with them that may have middleware: whoever
   * names a plugin has its guardrails too. Rejects when one can't be that is required; nothing of them is left then.
   */
  start(env: Env, relay?: Relay, named?: readonly PluginNaming[]): Promise<void>;
  /**
   * The relay that their middleware is in, which is the registry's as well: a guardrail anywhere else would guard nothing.
   * Undefined: they weren't given one, or haven't started and made one.
   */
  readonly relay?: Relay | undefined;
  /** Ends them. Without a start it does nothing. */
  stop(): Promise<void>;
  /** The `group.code` of why no work should come here: a required plugin is gone. Undefined: all is well. */
  failure(): string | undefined;
  /** How each of them is, for the inspector. Absent: that isn't told. */
  view?(): readonly PluginView[];
  /**
   * A way to `actor` (the only one, where none is named) of the plugin with that id, as it runs now. Undefined: there is no
   * such plugin in the set. Throws why the plugin can't be talked to at the moment, and where `config` is given for one that
   * the set has by itself. Absent: none of them has actors.
   */
  actor?(plugin: string, actor: string | undefined, config?: unknown): ActorCarrier | undefined;
  /** One of those that `start` was told of, as the set was last loaded. Undefined: it couldn't be read then, or is named by the id of one of the set. */
  named?(naming: PluginNaming): NamedPluginView | undefined;
}
