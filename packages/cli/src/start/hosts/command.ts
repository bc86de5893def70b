/**
 * `troupe start --hosts n`: a program on all cores. This process has the gateway and the store, n others run the actors.
 *
 * Each actor runs in one of them, whichever had the fewest when it woke. One that dies takes its own actors with it and no
 * other: they start in the next one with the next call, and whoever waited for an answer is told that it is lost.
 */
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { rmSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { makeOwnedFolder } from "@troupe/runtime/process";
import { startErrors } from "../../errors.ts";
import type { RunTerminal } from "../../run/command.ts";
import { importRegistry, type RunnableRegistry } from "../registry-of.ts";
import { HostProcess, type HostProcessParts } from "./host-process.ts";

const MOST_HOSTS = 64;

/** Host processes that serve. */
export interface Hosts {
  stop(): Promise<void>;
}

/** How many were asked for. Throws `config.invalid_option`. */
export function readHosts(text: string): number {
  const count = Number(text);
  if (/^\d{1,2}$/.test(text) && count >= 1 && count <= MOST_HOSTS) return count;
  throw startErrors.badHosts(text, MOST_HOSTS);
}

/** Starts the registry here and its actors there. Throws `config.host_failed`, and what the registry's start throws. */
export async function startWithHosts(
  registry: RunnableRegistry,
  file: string,
  options: { readonly count: number; readonly start: object; readonly terminal: RunTerminal },
): Promise<Hosts> {
  const { count, start, terminal } = options;
  if (terminal.env?.["TROUPE_ENDPOINT"]) throw startErrors.endpointAndHosts();
  const folder = await makeOwnedFolder("troupe-hosts");
  const processes = { socket: join(folder, "engine.sock"), token: randomBytes(32).toString("hex") };
  const hosts: HostProcess[] = [];
  const stop = async (): Promise<void> => {
    for (const host of hosts) host.retire();
    await registry.stop();
    await Promise.all(hosts.map((host) => host.stop()));
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const { endpoint } = await registry.start({ ...start, hostProcesses: processes });
    const command = [...(terminal.self ?? []), "host", resolve(terminal.cwd, file)];
    // For the program's own `registry.client()`, also before its host has started.
    const env = { TROUPE_ENDPOINT: endpoint };
    const tell = (line: string): void => terminal.err?.(`troupe  ${line}\n`);
    for (let number = 1; number <= count; number += 1)
      hosts.push(new HostProcess({ number, command, env, place: processes, tell }));
    await Promise.all(hosts.map((host) => host.ready));
  } catch (cause) {
    await stop();
    throw cause;
  }
  terminal.out(`troupe  ${count} hosts: ${hosts.map(({ pid }) => pid).join(", ")}\n`);
  return { stop };
}

/**
 * `troupe host`: one of those processes. It ends with its supervisor, and drains when it is asked to end itself: its actors go
 * on in the others, and the supervisor starts it again.
 */
export async function runHostProcess(file: string, terminal: RunTerminal): Promise<void> {
  if (!terminal.env?.["TROUPE_HOST_PROCESS"] || process.send === undefined) throw startErrors.noSupervisor();
  let processOf: HostProcessParts["place"] | undefined;
  // Also while it is starting, or looks for an engine that is no more.
  process.once("disconnect", () => {
    // A supervisor that was killed has left it.
    if (processOf !== undefined) rmSync(dirname(processOf.socket), { recursive: true, force: true });
    process.exit(0);
  });
  const asked = terminal.asked().then(() => "asked" as const);
  [processOf] = await once(process, "message");
  const registry = await importRegistry(resolve(terminal.cwd, file));
  const host = await registry.startHost({ processOf, signals: false });
  process.send("ready");
  const end = await Promise.race([asked, host.over.then(() => "over" as const)]);
  if (end === "asked") await host.drain();
  process.exit(end === "over" ? 1 : 0);
}
