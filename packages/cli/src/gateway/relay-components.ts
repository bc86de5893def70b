/** The relay's components of one gateway, by the document of its configuration. */
import type { Relay } from "@troupe/relay";
import { createComponents, type PluginConfig } from "@troupe/relay/plugin";

type Components = ReturnType<typeof createComponents>;

const none: PluginConfig = { version: 1, components: [] };

/** Those that are in force. */
export class RelayComponents implements AsyncDisposable {
  readonly #components: Components;
  #document: PluginConfig;

  private constructor(components: Components, document: PluginConfig) {
    this.#components = components;
    this.#document = document;
  }

  /** Throws `relay.config_invalid` and `relay.component_failed`. */
  static async start(relay: Relay, document: PluginConfig = none): Promise<RelayComponents> {
    const components = createComponents(relay);
    await components.initialize(document);
    return new RelayComponents(components, document);
  }

  /**
   * Puts a document in the place of the one before, when `rest` of the change says that it is its turn, and if `rest` works too. Throws as
   * `start` does, and what `rest` throws.
   */
  async change(
    document: PluginConfig = none,
    rest: (change: () => Promise<void>) => Promise<void>,
  ): Promise<void> {
    let changed = false;
    try {
      await rest(async () => {
        await this.#components.initialize(document);
        changed = true;
      });
      this.#document = document;
    } catch (error) {
      if (changed) await this.#components.initialize(this.#document);
      throw error;
    }
  }

  /** Ends them: what exporters hold is sent. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#components.initialize(none);
  }
}
