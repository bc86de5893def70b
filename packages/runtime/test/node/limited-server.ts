/** A server in a process of its own that may have few of something: descriptors, or room on its disk. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const CHILD = fileURLToPath(new URL("limited-child.ts", import.meta.url));

export class LimitedServer implements AsyncDisposable {
  readonly #process: ChildProcess;
  readonly endpoint: string;
  readonly #log: string[];

  private constructor(process: ChildProcess, log: string[], port: number) {
    this.#process = process;
    this.#log = log;
    this.endpoint = `http://127.0.0.1:${port}`;
  }

  /** `descriptors`: as of `ulimit -n`. */
  static async start(dataDir: string, { descriptors = 1_024 } = {}): Promise<LimitedServer> {
    const line = `ulimit -n ${descriptors}; exec "$0" --conditions=troupe-source "$1" "$2"`;
    const child = spawn("/bin/sh", ["-c", line, process.execPath, CHILD, dataDir], {
      stdio: ["ignore", "inherit", "pipe", "ipc"],
      env: { ...process.env, TROUPE_LOG: "info" },
    });
    const log: string[] = [];
    child.stderr?.setEncoding("utf8").on("data", (text: string) => void log.push(text));
    const [said] = await Promise.race([
      once(child, "message"),
      once(child, "exit").then(() => Promise.reject(new Error(`the server ended: ${log.join("")}`))),
    ]);
    return new LimitedServer(child, log, said.port);
  }

  get log(): string {
    return this.#log.join("");
  }

  /** How many descriptors it has. */
  get descriptors(): number {
    return readdirSync(`/proc/${this.#process.pid}/fd`).length;
  }

  /** How many actors' files it has open. */
  get actorFiles(): number {
    const folder = `/proc/${this.#process.pid}/fd`;
    const open = readdirSync(folder).map((descriptor) => target(join(folder, descriptor)));
    return open.filter((path) => /\/actors\/[^/]+\.db$/.test(path)).length;
  }

  get isRunning(): boolean {
    return this.#process.exitCode === null && this.#process.signalCode === null;
  }

  /** The output, or the error as its caller gets it. */
  async call(name: string, key: string, action: string, ...args: readonly unknown[]): Promise<unknown> {
    const answer = await fetch(`${this.endpoint}/actor/${name}/action/${action}?key=${key}`, {
      method: "POST",
      body: JSON.stringify({ args }),
    });
    const body = (await answer.json()) as { output?: unknown; error?: object };
    return body.error === undefined ? body.output : { status: answer.status, ...body.error };
  }

  async ready(): Promise<string> {
    const answer = await fetch(`${this.endpoint}/readyz`);
    return `${answer.status} ${await answer.text()}`;
  }

  /** It uses up its descriptors, or gives them back; settles when it has. */
  async tell(what: "take all descriptors" | "give them back"): Promise<void> {
    const done = once(this.#process, "message");
    this.#process.send(what);
    await done;
  }

  /** Ends it in good order; settles with its exit code. */
  async stop(): Promise<number | null> {
    if (this.isRunning) {
      const exit = once(this.#process, "exit");
      this.#process.kill("SIGTERM");
      await exit;
    }
    return this.#process.exitCode;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.isRunning) return;
    const exit = once(this.#process, "exit");
    this.#process.kill("SIGKILL");
    await exit;
  }
}

/** What a link leads to; nothing, when it is gone meanwhile. */
function target(link: string): string {
  try {
    return readlinkSync(link);
  } catch {
    return "";
  }
}
