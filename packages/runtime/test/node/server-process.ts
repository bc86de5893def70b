/** A server in a process of its own, which tells its parent what it does. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

export class ServerProcess {
  readonly process: ChildProcess;
  #log = "";
  readonly #messages: { kind: string; port?: number }[] = [];

  /** Runs a script of this folder. */
  constructor(script: string, ...args: readonly string[]) {
    const path = fileURLToPath(new URL(script, import.meta.url));
    this.process = spawn(process.execPath, ["--conditions=troupe-source", path, ...args], {
      stdio: ["ignore", "inherit", "pipe", "ipc"],
      env: { ...process.env, TROUPE_LOG: "info" },
    });
    this.process.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#log += text;
    });
    this.process.on("message", (message: { kind: string }) => void this.#messages.push(message));
  }

  /** Lines of its log that say that something is wrong, and what Node itself prints. */
  get complaints(): string[] {
    return this.#log.split("\n").filter((line) => line !== "" && !/"level":"(info|debug)"/.test(line));
  }

  async heard(kind: string): Promise<{ port?: number }> {
    for (;;) {
      const found = this.#messages.find((message) => message.kind === kind);
      if (found !== undefined) return found;
      await once(this.process, "message");
    }
  }

  /** Sends a signal; settles with the exit code and the signal that ended it. */
  async ended(signal: NodeJS.Signals): Promise<unknown[]> {
    const exit = once(this.process, "exit");
    this.process.kill(signal);
    return await exit;
  }

  [Symbol.dispose](): void {
    this.process.kill("SIGKILL");
  }
}
