/**
 * The process driver: real processes of this machine's programs, in namespaces of their own, through
 * [bubblewrap](https://github.com/containers/bubblewrap).
 *
 * A sandbox's programs see the host's /usr, read-only, and files of their own; no other process, no network but the one way out, no
 * device, no privilege. What the kernel itself lets through is not held back: against somebody hostile who has a hole in the
 * kernel, put the host in a virtual machine.
 *
 * A runtime that is root gives each sandbox a user of its own, without a name and without files: limits of processes hold for that user,
 * and what got out of a sandbox would be nobody.
 */
import { accessSync, constants, existsSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { limits } from "@troupe/protocol";
import { sandboxErrors } from "../../errors.ts";
import { checkDriverOptions } from "../driver-options.ts";
import { HOME } from "../home.ts";
import { lowerImage } from "../lower-image.ts";
import type { Mount } from "../mounts.ts";
import type { SandboxNetwork } from "../network.ts";
import type { BootOptions, Sandbox, SandboxDriver } from "../sandbox.ts";
import { type Bind, bubblewrapArguments, places } from "./bubblewrap.ts";
import { Container, type ContainerOwner, FILTER_FD } from "./container.ts";
import type { SupervisorData, WatchedLimit } from "./inside/messages.ts";
import { ProcessSandbox } from "./process-sandbox.ts";
import { Spares } from "./spares.ts";
import { systemCallFilter } from "./system-call-filter.ts";

/** What its sandboxes may use. */
export interface ProcessDriverOptions {
  /** The program. Default: bwrap, in the PATH. */
  readonly bubblewrap?: string;
  /** What each process may hold in memory, and all of a sandbox together. Bytes; default 1 GiB. */
  readonly memoryBytes?: number;
  /** All files of a sandbox. Bytes; default and most 64 MiB. */
  readonly fileBytes?: number;
  /** Files and directories of a sandbox. Default 50,000. */
  readonly files?: number;
  /** Processes and threads of a sandbox. Default 256. */
  readonly processes?: number;
  /** Files that one process has open. Default 1,024. */
  readonly openFiles?: number;
  /** Time of the processor that a command, process or shell may take with all that it starts. Seconds; default: no end. */
  readonly cpuSeconds?: number;
}

const optionLimits = {
  memoryBytes: {},
  fileBytes: { most: limits.sandboxFileBytes },
  files: {},
  processes: {},
  openFiles: {},
  cpuSeconds: { isWhole: false },
} satisfies Record<Exclude<keyof ProcessDriverOptions, "bubblewrap">, object>;

/** Users without a name, by the convention of systemd for such. */
const FIRST_UID = 61_184;
const UIDS = 4_000;
/** Where a sandbox's programs find the proxy, on the sandbox's own loopback. */
const PROXY_PORT = 3_128;

/** Boots sandboxes of real processes. Rejects with `sandbox.unsupported { needs, install }` where that can't be. */
export class ProcessDriver implements SandboxDriver {
  readonly name = "process";
  readonly hasRealProcesses = true;
  readonly #options: ProcessDriverOptions;
  readonly #spares = new Spares((mounts) => this.#start(mounts));
  #started = 0;

  /** Throws `config.invalid_option`, `config.unknown_option`. */
  constructor(options: ProcessDriverOptions = {}) {
    checkDriverOptions("ProcessDriver", options, { limits: optionLimits, others: ["bubblewrap"] });
    this.#options = options;
  }

  keepWarm(mounts: readonly Mount[] = []): () => Promise<void> {
    return this.#spares.keep(mounts);
  }

  async boot({ signal, files, mounts = [], network, ...told }: BootOptions): Promise<Sandbox> {
    const bounds = this.#bounds();
    const onUse = (limit: WatchedLimit, used: number) => {
      const most = limit === "tasks" ? bounds.processes : bounds[limit];
      if (most !== undefined) told.onUse?.({ limit, used, most });
    };
    const sandbox = new ProcessSandbox({
      files,
      onUse: told.onUse,
      onState: told.onState,
      onUnsaved: told.onUnsaved,
      lower: () => lowerImage(mounts),
      shell: isProgram("/bin/bash") ? "/bin/bash" : "/bin/sh",
      open: async (closing) => {
        const container = this.#spares.take(mounts);
        container.give({ network: network === undefined ? undefined : wayOut(network), onUse });
        return await readyOr(container, closing);
      },
    });
    await sandbox.open(signal);
    return sandbox;
  }

  /** A container that is nobody's yet. Throws `sandbox.unsupported`, `sandbox.mount_failed`. */
  #start(mounts: readonly Mount[]): Container {
    const bubblewrap = this.#bubblewrap();
    const filter = systemCallFilter(process.arch);
    if (filter === undefined)
      throw sandboxErrors.unsupported(`there is no filter of system calls for ${process.arch}`);
    const bounds = this.#bounds();
    this.#started += 1;
    const uid = userOf(this.#started);
    const binds = [...supervisorBinds(), ...mounts.flatMap(bindOf)];
    if (uid !== undefined) checkReadable(binds);
    const data = { ...bounds, ...supervisorData() };
    const args = bubblewrapArguments({
      binds,
      memory: mounts.filter(({ mode }) => mode === "memory").map(({ path }) => path),
      limits: bounds,
      program: [places.node, join(places.inside, `supervisor.${extension()}`), JSON.stringify(data)],
      filterFd: FILTER_FD,
    });
    return new Container({ bubblewrap, args, filter, uid });
  }

  #bounds() {
    const { memoryBytes, fileBytes, files, processes, openFiles, cpuSeconds } = this.#options;
    return {
      memoryBytes: memoryBytes ?? limits.sandboxMemoryBytes,
      fileBytes: fileBytes ?? limits.sandboxFileBytes,
      processes: processes ?? limits.sandboxProcesses,
      openFiles: openFiles ?? limits.sandboxOpenFiles,
      files: files ?? limits.sandboxFiles,
      cpuSeconds,
    };
  }

  #bubblewrap(): string {
    if (process.platform !== "linux")
      throw sandboxErrors.unsupported(`it takes Linux, and this is ${process.platform}`);
    const { bubblewrap } = this.#options;
    if (bubblewrap !== undefined) return bubblewrap;
    const found = (process.env.PATH ?? "").split(delimiter).map((folder) => join(folder, "bwrap"));
    const path = found.find(isProgram);
    if (path === undefined) throw sandboxErrors.unsupported("bubblewrap is not installed");
    return path;
  }
}

/** Settles when it is up; one that nobody wants any more, or that can't be, is stopped. */
async function readyOr(container: Container, closing: AbortSignal): Promise<Container> {
  const stop = () => void container.stop(sandboxErrors.closed());
  closing.addEventListener("abort", stop, { once: true });
  const late = setTimeout(
    () => void container.stop(sandboxErrors.unsupported("nothing was heard of its supervisor")),
    limits.sandboxStartMs,
  );
  try {
    closing.throwIfAborted();
    await container.ready();
    return container;
  } catch (cause) {
    await container.stop(sandboxErrors.closed());
    throw cause;
  } finally {
    clearTimeout(late);
    closing.removeEventListener("abort", stop);
  }
}

function supervisorData(): Pick<SupervisorData, "messageBytes" | "bodyBytes" | "unsavedPaths" | "env"> {
  return {
    messageBytes: limits.sandboxMessageBytes,
    bodyBytes: limits.sandboxFileBytes,
    unsavedPaths: limits.sandboxUnsavedPaths,
    env: {
      HOME,
      USER: "user",
      LANG: "C.UTF-8",
      PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/run/troupe",
    },
  };
}

/** The proxy, and how programs find it. */
function wayOut(way: SandboxNetwork): ContainerOwner["network"] {
  const proxy = `http://127.0.0.1:${PROXY_PORT}`;
  const env = {
    ...Object.fromEntries(["http", "https", "HTTP", "HTTPS"].map((name) => [proxyVariable(name), proxy])),
    no_proxy: "localhost,127.0.0.1,::1",
    NO_PROXY: "localhost,127.0.0.1,::1",
    NODE_USE_ENV_PROXY: "1",
    ...way.variables,
  };
  return { way, port: PROXY_PORT, local: way.localOrigins, env };
}

function proxyVariable(scheme: string): string {
  return scheme === scheme.toLowerCase() ? `${scheme}_proxy` : `${scheme}_PROXY`;
}

/** This runtime's node, the supervisor's files, and what opens terminals, if it is installed. */
function supervisorBinds(): Bind[] {
  const inside = fileURLToPath(new URL("./inside", import.meta.url));
  return [
    { from: process.execPath, to: places.node },
    { from: inside, to: places.inside },
    ...terminalPackages().map(({ name, folder }) => ({ from: folder, to: join(places.modules, name) })),
  ];
}

/** Of an overlay there is a copy inside. */
function bindOf(mount: Mount): Bind[] {
  if (!("hostPath" in mount) || mount.mode === "overlay") return [];
  const { hostPath: from, path: to } = mount;
  if (!existsSync(from)) throw sandboxErrors.mountFailed(to, new Error(`the host has no ${from}`));
  return [{ from, to, writable: mount.mode === "read-write" }];
}

function terminalPackages(): { name: string; folder: string }[] {
  const require = createRequire(import.meta.url);
  try {
    const name = "@lydell/node-pty";
    const main = require.resolve(name);
    const native = `${name}-linux-${process.arch}`;
    const binary = createRequire(main).resolve(`${native}/pty.node`);
    return [
      { name, folder: dirname(main) },
      { name: native, folder: dirname(binary) },
    ];
  } catch {
    // Whoever opens a shell is told.
    return [];
  }
}

function userOf(sandbox: number): number | undefined {
  if (process.getuid?.() !== 0) return undefined;
  return FIRST_UID + ((process.pid + sandbox) % UIDS);
}

/** A user of its own doesn't come into another user's home. Throws `sandbox.unsupported`. */
function checkReadable(binds: readonly Bind[]): void {
  for (const { from } of binds)
    for (let path = from; path !== "/"; path = dirname(path))
      if ((statSync(path).mode & 0o001) === 0)
        throw sandboxErrors.unsupported(`${path} must be open to all users: chmod o+x ${path}`);
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** TypeScript rewrites import specifiers when it builds, but not paths. */
function extension(): string {
  return import.meta.url.endsWith(".ts") ? "ts" : "js";
}
