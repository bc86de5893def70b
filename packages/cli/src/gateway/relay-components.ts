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

  /** Puts a document in the place of the one before, if `rest` of the change works too. Throws as `start` does, and what `rest` throws. */
  async change(document: PluginConfig = none, rest: () => Promise<void>): Promise<void> {
    await this.#components.initialize(document);
    try {
      await rest();
      this.#document = document;
    } catch (error) {
      await this.#components.initialize(this.#document);
      throw error;
    }
  }

  /** Ends them: what exporters hold is sent. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#components.initialize(none);
  }
}
