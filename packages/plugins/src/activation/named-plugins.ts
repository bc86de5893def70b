/**
 * Named plugins: those that definitions name by `pluginActor`, and that aren't among their registry's own. Where the registry has
 * a relay, all of such a plugin is in force there before the first actor runs, its guardrails as well as its actors; it runs
 * once for all that name it, and ends with the last of them. Where there is no relay nothing would go by its middleware: that
 * is said, once.
 */
import { isDeepStrictEqual } from "node:util";
import type { Logger } from "@troupe/base";
import type { ActorCarrier, CarrierRequest } from "@troupe/runtime";
import { activationErrors, pluginErrors } from "../errors.ts";
import type { PluginManifest } from "../manifest/manifest.ts";
import { type ActivePlugins, activatePlugins } from "./activate-plugins.ts";
import type { FoundPlugin } from "./named-plugin.ts";

/** A plugin that was found, and what its manifest says. */
export interface ReadPlugin extends FoundPlugin {
  readonly manifest: PluginManifest;
}

interface InForce {
  readonly read: ReadPlugin;
  readonly active: Promise<ActivePlugins>;
  users: number;
}

/** By relay, which has each plugin's middleware once, whoever names it; by environment where there is none. */
const everywhere = new WeakMap<object, NamedPlugins>();

/** Those of one relay. */
export class NamedPlugins {
  readonly #inForce = new Map<string, InForce>();
  readonly #told = new Set<string>();
  /** One at a time, in the order in which they are named: so stand their guardrails. */
  #last: Promise<unknown> = Promise.resolve();

  /** Those of the relay that a definition's actors run under. */
  static of({ relay, env }: CarrierRequest): NamedPlugins {
    const where = relay ?? env;
    const found = everywhere.get(where) ?? new NamedPlugins();
    everywhere.set(where, found);
    return found;
  }

  /**
   * Puts a plugin in force, or finds it there. Throws as `activatePlugins` does, and `plugin.id_taken` and `plugin.named_twice`
   * where somebody has named another of its id, or the same one configured otherwise.
   */
  async use(read: ReadPlugin, { env, relay }: CarrierRequest): Promise<NamedPlugin> {
    const { id, origin } = read.manifest;
    let there = this.#inForce.get(id);
    if (there !== undefined && !isDeepStrictEqual(there.read.source, read.source)) {
      const files = [there.read.manifest.origin.file, origin.file];
      throw files[0] === files[1] ? activationErrors.namedTwice(id) : activationErrors.idTaken(id, files);
    }
    if (there === undefined) {
      const { source, policy } = read;
      const active = this.#last.then(() => activatePlugins({ plugins: [source], policy, relay, env }));
      this.#last = active.catch(() => {});
      there = { read, active, users: 0 };
      this.#inForce.set(id, there);
    }
    there.users += 1;
    try {
      return new NamedPlugin(id, await there.active, () => this.#release(id));
    } catch (error) {
      await this.#release(id);
      throw error;
    }
  }

  /** Says that a plugin's middleware guards nothing. */
  tellUnguarded(id: string, log: Logger): void {
    if (this.#told.has(id)) return;
    this.#told.add(id);
    const { message: why } = activationErrors.notInForce(id);
    log.warn("a plugin's middleware isn't in force", { plugin: id, why });
  }

  async #release(id: string): Promise<void> {
    const there = this.#inForce.get(id);
    if (there === undefined) return;
    there.users -= 1;
    if (there.users > 0) return;
    this.#inForce.delete(id);
    // One that couldn't be put in force has left nothing. Whoever names the next one waits for the end of this one.
    const ended = there.active.then((active) => active.deactivate()).catch(() => {});
    this.#last = Promise.all([this.#last, ended]);
    await ended;
  }
}

/** A plugin that is in force, for one who names it. */
export class NamedPlugin {
  readonly #id: string;
  readonly #active: ActivePlugins;
  readonly #release: () => Promise<void>;

  constructor(id: string, active: ActivePlugins, release: () => Promise<void>) {
    this.#id = id;
    this.#active = active;
    this.#release = release;
  }

  /** Throws what `PluginActors.carrier` does, and `plugin.left_out` where it is optional and couldn't be started. */
  carrier(actor: string | undefined): ActorCarrier {
    const [out] = this.#active.skipped;
    if (out !== undefined) throw activationErrors.leftOut(this.#id, out.error);
    const actors = this.#active.actorsOf(this.#id);
    if (actors === undefined) throw pluginErrors.closed();
    return actors.carrier(actor);
  }

  /** To be called once. */
  async close(): Promise<void> {
    await this.#release();
  }
}
