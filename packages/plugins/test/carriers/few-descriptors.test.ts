/** A host that has no descriptor left: what needs one fails with a name, nothing of that ends the host, and later all of it works. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { expect, onTestFinished, test, vi } from "vitest";
import { children } from "../support/dynamic-world.ts";
import { needsPackage } from "../support/native-package.ts";
import { PluginFolder } from "../support/plugin-folder.ts";
import { commandOf } from "../support/processes.ts";

needsPackage("isolated-vm");

const PROGRAM = new URL("../support/limited-host.ts", import.meta.url).pathname;
const NONE_LEFT = "storage.too_many_open_files, retryable";
const soon = { timeout: 15_000, interval: 50 };

interface Said {
  readonly deed?: string;
  readonly became?: string;
  readonly warned?: string;
}

class LimitedHost {
  readonly #process: ChildProcess;
  readonly warned: string[] = [];

  private constructor(process: ChildProcess) {
    this.#process = process;
    process.on("message", ({ warned }: Said) => {
      if (warned !== undefined) this.warned.push(warned);
    });
  }

  static async start(descriptors: number): Promise<LimitedHost> {
    const folder = new PluginFolder();
    const line = `ulimit -n ${descriptors}; exec "$0" --conditions=troupe-source "$1" "$2"`;
    const child = spawn("/bin/sh", ["-c", line, process.execPath, PROGRAM, folder.path], {
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    const host = new LimitedHost(child);
    onTestFinished(async () => {
      await host.kill();
      folder[Symbol.dispose]();
    });
    await host.#hears("start");
    return host;
  }

  /** What came of it. */
  async tell(deed: "take" | "give" | "isolate" | "worker"): Promise<string | undefined> {
    const heard = this.#hears(deed);
    this.#process.send(deed);
    return await heard;
  }

  guardians(): number[] {
    return this.#running("guardian-main");
  }

  isolates(): number[] {
    return this.#running("isolate/process/");
  }

  async kill(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const exit = once(this.#process, "exit");
    this.#process.kill("SIGKILL");
    await exit;
  }

  #running(program: string): number[] {
    return children(this.#process.pid).filter((pid) => commandOf(pid).includes(program));
  }

  #hears(deed: string): Promise<string | undefined> {
    return new Promise((resolve, reject) => {
      const ended = (): void => reject(new Error(`the host ended: ${deed}`));
      const hear = (said: Said): void => {
        if (said.deed !== deed) return;
        this.#process.off("exit", ended).off("message", hear);
        resolve(said.became);
      };
      this.#process.once("exit", ended).on("message", hear);
    });
  }
}

const onLinux = test.skipIf(process.platform !== "linux");

onLinux(
  "the first worker and isolate of a host fail with a name, and later they work",
  async () => {
    const host = await LimitedHost.start(256);
    await host.tell("take");
    expect(await host.tell("isolate")).toBe(NONE_LEFT);
    expect(await host.tell("worker")).toBe(NONE_LEFT);
    expect(host.guardians()).toEqual([]);
    await host.tell("give");
    expect([await host.tell("isolate"), await host.tell("worker")]).toEqual(["done", "done"]);
    expect(host.guardians()).toHaveLength(1);
  },
  60_000,
);

onLinux(
  "and so do those of a host that has a guardian, and had an isolate",
  async () => {
    const host = await LimitedHost.start(256);
    expect([await host.tell("worker"), await host.tell("isolate")]).toEqual(["done", "done"]);
    for (const pid of host.isolates()) process.kill(pid, "SIGKILL");
    await vi.waitFor(() => expect(host.warned).toEqual(["The isolate process ended"]), soon);
    await host.tell("take");
    expect([await host.tell("isolate"), await host.tell("worker")]).toEqual([NONE_LEFT, NONE_LEFT]);
    await host.tell("give");
    expect([await host.tell("isolate"), await host.tell("worker")]).toEqual(["done", "done"]);
  },
  60_000,
);

onLinux(
  "a guardian that ends then is missed in one line, and has a successor when there is room for it",
  async () => {
    const host = await LimitedHost.start(256);
    expect(await host.tell("worker")).toBe("done");
    const [first] = host.guardians();
    await host.tell("take");
    process.kill(Number(first), "SIGKILL");
    await vi.waitFor(() => expect(host.warned).toEqual([expect.stringContaining("guardian")]), soon);
    expect(await host.tell("worker")).toBe(NONE_LEFT);
    await host.tell("give");
    await vi.waitFor(() => expect(host.guardians()).toHaveLength(1), soon);
    expect(host.guardians()).not.toContain(first);
    expect(await host.tell("isolate")).toBe("done");
    expect(host.warned).toHaveLength(1);
  },
  60_000,
);
