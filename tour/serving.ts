/** A registry that serves on a free port with files of its own, and a client of it. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type AnyActorDefinition, type Registry, type RegistryConfig, setup } from "troupe";
import { type Client, createClient } from "troupe/client";

type Use = Readonly<Record<string, AnyActorDefinition>>;

/** What serves, until it is disposed of. */
export class Serving<U extends Use> implements AsyncDisposable {
  readonly client: Client<Registry<U>>;
  readonly endpoint: string;
  readonly #registry: Registry<U>;
  readonly #folder: string;

  private constructor(registry: Registry<U>, endpoint: string, folder: string) {
    this.#registry = registry;
    this.endpoint = endpoint;
    this.#folder = folder;
    this.client = createClient<Registry<U>>(endpoint);
  }

  static async start<U extends Use>(config: RegistryConfig<U>): Promise<Serving<U>> {
    const folder = await mkdtemp(join(tmpdir(), "troupe-tour-"));
    const registry = setup(config);
    const { endpoint } = await registry.start({ port: 0, dataDir: folder, signals: false, banner: false });
    return new Serving(registry, endpoint, folder);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.client.dispose();
    await this.#registry.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }
}
