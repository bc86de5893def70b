/** Plugins of one test on disk, and a relay that they are activated in. */
import type { TroupeError } from "@troupe/base";
import { TROUPE_VERSION } from "@troupe/base";
import type { Relay } from "@troupe/relay";
import { createRelay } from "@troupe/relay/node";
import { nodeLoad, PluginFolder } from "./plugin-folder.ts";

const sdk = new URL("../../src/worker.ts", import.meta.url).href;

/** The tables of a manifest that differ from plugin to plugin. */
export interface ManifestParts {
  readonly kind: string;
  /** The table's lines. */
  readonly load: string;
  readonly integrity?: string;
  /** Keys before the first table. */
  readonly keys?: string;
  /** Default: middleware. */
  readonly capabilities?: readonly string[];
}

export class PluginWorld implements Disposable {
  readonly folder = new PluginFolder();
  readonly relay: Relay = createRelay();

  /** A guardrail that refuses "rm" with `reason`, as the source of a list of one. */
  static refusing(reason: string): string {
    return `{
      kind: "tool_conditional_execution_guardrail",
      name: "no-rm",
      handle: ({ toolName }) => (toolName === "rm" ? ${JSON.stringify(reason)} : null),
    }`;
  }

  /** The program of a worker with these middleware. */
  static workerSource(id: string, middleware: string, more = ""): string {
    return `import { serveWorker } from ${JSON.stringify(sdk)};
      ${more}
      await serveWorker({ name: "${id}", middleware: [${middleware}] });`;
  }

  write(name: string, content: string | Uint8Array, mode?: number): string {
    return this.folder.write(name, content, mode);
  }

  /** Writes a manifest to the folder `id`; its path. */
  manifest(id: string, parts: ManifestParts): string {
    const { kind, load, integrity = "", keys = "", capabilities = ["middleware"] } = parts;
    return this.write(
      `${id}/troupe-plugin.toml`,
      `manifest_version = 1
       capabilities = ${JSON.stringify(capabilities)}
       ${keys}
       [plugin]
       id = "${id}"
       version = "1.0.0"
       kind = "${kind}"
       [compat]
       troupe = "^${TROUPE_VERSION}"
       [load]
       ${load}
       [integrity]
       ${integrity}`,
    );
  }

  /** A worker in JavaScript that refuses "rm" with `reason`; its manifest. */
  worker(id: string, reason: string, parts: Partial<ManifestParts> = {}): string {
    this.write(`${id}/main.ts`, PluginWorld.workerSource(id, PluginWorld.refusing(reason)));
    return this.manifest(id, { kind: "worker", load: nodeLoad("main.ts"), ...parts });
  }

  /** Why "rm" isn't run. */
  async refusal(): Promise<TroupeError> {
    try {
      await this.relay.toolCallExecute("rm", {}, () => ({ result: "gone" }));
    } catch (error) {
      return error as TroupeError;
    }
    throw new Error("rm was let through");
  }

  /** The reason that a guardrail gave. */
  async reason(): Promise<unknown> {
    return (await this.refusal()).metadata?.reason;
  }

  [Symbol.dispose](): void {
    this.folder[Symbol.dispose]();
  }
}
