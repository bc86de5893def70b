/**
 * A real server with files, real clients, and a wire between them that can be cut. The wire keeps its address when the
 * server is started again, as a load balancer's would.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AgentOSConfig, AgentOSDefinition } from "@troupe/agent-os";
import { agentOS } from "@troupe/agent-os";
import { type Client, createClient } from "@troupe/client";
import { type Registry, setup } from "@troupe/runtime";

type Workspaces = Registry<{ workspace: AgentOSDefinition }>;

export class Serving implements AsyncDisposable {
  readonly #config: AgentOSConfig;
  readonly #dataDir = mkdtempSync(join(tmpdir(), "troupe-agent-os-"));
  readonly #clients: Client<Workspaces>[] = [];
  readonly #wires: Wire[] = [];
  #registry: Workspaces | undefined;
  #port = 0;

  private constructor(config: AgentOSConfig) {
    this.#config = config;
  }

  static async start(config: AgentOSConfig): Promise<Serving> {
    const serving = new Serving(config);
    await serving.#start();
    return serving;
  }

  /** A client with a wire of its own. */
  async client(): Promise<{ readonly client: Client<Workspaces>; cut(): void }> {
    const wire = await Wire.open(() => this.#port);
    const reconnect = { baseMs: 5, maxMs: 20 };
    const client = createClient<Workspaces>({ endpoint: wire.endpoint, encoding: "cbor", reconnect });
    this.#wires.push(wire);
    this.#clients.push(client);
    return { client, cut: () => wire.cut() };
  }

  /** An orderly stop, and a new start on the same files: all actors sleep and their agents end. */
  async restart(): Promise<void> {
    await this.#registry?.stop();
    await this.#start();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.dispose()));
    await this.#registry?.stop();
    await Promise.all(this.#wires.map((wire) => wire.close()));
    rmSync(this.#dataDir, { recursive: true, force: true });
  }

  async #start(): Promise<void> {
    this.#registry = setup({ use: { workspace: agentOS(this.#config) } });
    const options = { port: 0, dataDir: this.#dataDir, signals: false, banner: false };
    this.#port = (await this.#registry.start(options)).port;
  }
}

/** A TCP forwarder. */
class Wire {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(port: () => number) {
    this.#server = createServer({ noDelay: true }, (near) => {
      const far = connect({ port: port(), host: "127.0.0.1", noDelay: true });
      for (const [socket, other] of [
        [near, far],
        [far, near],
      ] as const) {
        this.#sockets.add(socket);
        socket.on("error", () => undefined);
        socket.on("close", () => {
          this.#sockets.delete(socket);
          other.destroy();
        });
        socket.pipe(other);
      }
    });
  }

  static async open(port: () => number): Promise<Wire> {
    const wire = new Wire(port);
    await new Promise<void>((resolve) => wire.#server.listen(0, "127.0.0.1", resolve));
    return wire;
  }

  get endpoint(): string {
    const address = this.#server.address();
    return `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}`;
  }

  /** Every connection through it is lost at once, without a close. */
  cut(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
