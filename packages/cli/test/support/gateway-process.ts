/** `troupe gateway` as a process of its own. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { troupeBundle } from "../../../../tools/setup/troupe-bundle.ts";

export interface Exit {
  readonly code: number | null;
  readonly signal: string | null;
  readonly out: string;
  readonly err: string;
}

export class GatewayProcess implements AsyncDisposable {
  readonly exited: Promise<Exit>;
  readonly #child: ChildProcess;
  #out = "";
  #err = "";
  #url = "";

  /** `home` is where the user's plugins are; by default there are none. */
  private constructor(args: readonly string[], home = "/nonexistent") {
    this.#child = spawn(process.execPath, ["--conditions=troupe-source", troupeBundle, "gateway", ...args], {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, XDG_CONFIG_HOME: home },
    });
    this.#child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      this.#out += text;
    });
    this.#child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#err += text;
    });
    this.exited = once(this.#child, "close").then(([code, signal]) => ({
      code,
      signal,
      out: this.#out,
      err: this.#err,
    }));
  }

  /** Runs it to its end. One that begins to serve is ended, and that is an error: nobody would ever stop it. */
  static async run(args: readonly string[], home?: string): Promise<Exit> {
    const gateway = new GatewayProcess(args, home);
    const { stdout } = gateway.#child;
    stdout?.on("data", () => {
      if (/^Listening at/m.test(gateway.#out)) gateway.#child.kill("SIGKILL");
    });
    const exit = await gateway.exited;
    if (exit.signal !== null) throw new Error(`it started, and wasn't to: ${exit.out}`);
    return exit;
  }

  /** Starts it at a free port; settles when it listens. */
  static async start(args: readonly string[], home?: string): Promise<GatewayProcess> {
    const gateway = new GatewayProcess(["--bind", "127.0.0.1:0", "--json", ...args], home);
    await Promise.race([gateway.#listening(), gateway.exited]);
    if (gateway.#url === "") throw new Error(`it didn't start: ${gateway.#err}`);
    return gateway;
  }

  get url(): string {
    return this.#url;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  async ask(name: string, more: Record<string, unknown> = {}): Promise<unknown> {
    const answer = await fetch(`${this.#url}/hooks/tool`, {
      method: "POST",
      body: JSON.stringify({ name, args: { path: "/" }, ...more }),
    });
    return await answer.json();
  }

  /** Asks it to reload; what it says of that. */
  async reload(): Promise<unknown> {
    const { stdout } = this.#child;
    const before = this.#out.length;
    this.#child.kill("SIGHUP");
    while (stdout !== null && !this.#out.slice(before).includes("\n")) await once(stdout, "data");
    return JSON.parse(this.#out.slice(before));
  }

  /** A JSON resource. */
  async get(path: string): Promise<{ status: number; body: unknown }> {
    const response = await fetch(`${this.#url}${path}`);
    return { status: response.status, body: await response.json() };
  }

  /** Asks it to end, and waits. */
  async stop(by: NodeJS.Signals = "SIGTERM"): Promise<Exit> {
    this.signal(by);
    return await this.exited;
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGTERM");
    await this.exited;
  }

  async #listening(): Promise<void> {
    const { stdout } = this.#child;
    while (stdout !== null && !this.#out.includes("\n")) await once(stdout, "data");
    this.#url = JSON.parse(this.#out).url;
  }
}
