/**
 * What `agentOS({ … })` takes.
 */

import { nearest } from "@troupe/base";
import { type PermissionPolicy, permissionPolicies } from "./acp/permissions.ts";
import { type NetworkConfig, NetworkPolicy } from "./egress/network-policy.ts";
import { configErrors } from "./errors.ts";
import { type AgentOSHooks, hookNames } from "./hooks.ts";
import type { ProcessLimits } from "./processes/processes.ts";
import { type Mount, wrongMount } from "./sandbox/mounts.ts";
import type { SandboxDriver } from "./sandbox/sandbox.ts";

/** A program that speaks ACP on its stdin and stdout. It runs as a process of the host, outside of the sandbox. */
export interface AgentCommand {
  readonly command: string;
  readonly args?: readonly string[];
  /** Its environment, beside PATH, HOME, LANG and TMPDIR. Nothing else of the host's is passed on. */
  readonly env?: Readonly<Record<string, string>>;
  /** Where the process starts on the host. Default: where the host did. */
  readonly cwd?: string;
}

/** The options of `agentOS`, but for a program's own actions and events. */
export interface AgentOSConfig extends AgentOSHooks {
  /** Agents by name. A session that names none gets the first. */
  readonly agents?: Readonly<Record<string, AgentCommand>>;
  /**
   * Who decides when an agent asks for permission: "reject_all" (the default), "ask" (those who follow the session, by
   * `respondPermission`), "allow_all", or a function.
   */
  readonly permissions?: PermissionPolicy;
  /** A question that "ask" puts and nobody answers is refused after this time. Milliseconds; default 120,000. */
  readonly permissionTimeoutMs?: number;
  /** What boots the sandboxes. Default: the embedded driver, which needs the package just-bash. */
  readonly sandbox?: SandboxDriver;
  /** "durable" (the default): the sandbox's files survive sleep and crash. "memory": they end with the sandbox. */
  readonly root?: "durable" | "memory";
  /** What is at certain paths of the sandbox instead of its durable files. */
  readonly mounts?: readonly Mount[];
  /** What may be reached from inside. Default: nothing. */
  readonly network?: NetworkConfig;
  /** What its processes may use. */
  readonly limits?: ProcessLimits;
  /** An agent must be ready in this time. Milliseconds; default 30,000. */
  readonly agentStartTimeoutMs?: number;
}

const optionNames = [
  "agents",
  "permissions",
  "permissionTimeoutMs",
  "sandbox",
  "root",
  "mounts",
  "limits",
  "network",
  "agentStartTimeoutMs",
  "actions",
  "events",
  ...hookNames,
];
const limitNames: readonly (keyof ProcessLimits)[] = ["processes", "processOutputBytes"];
const networkNames: readonly (keyof NetworkConfig)[] = ["allow", "credentials"];
const agentNames = ["command", "args", "env", "cwd"];

/** Throws `config.*` where the options aren't ones. */
export function checkConfig(config: AgentOSConfig): void {
  if (typeof config !== "object" || config === null)
    throw configErrors.invalidOption("agentOS()", "called with an object, or with nothing");
  checkNames("agentOS", config, optionNames);
  for (const [name, agent] of Object.entries(config.agents ?? {})) {
    if (typeof agent?.command !== "string" || agent.command === "")
      throw configErrors.invalidOption(`agents.${name}`, "an object with a `command`");
    checkNames(`agents.${name}`, agent, agentNames);
  }
  const { permissions, agentStartTimeoutMs, permissionTimeoutMs } = config;
  if (
    permissions !== undefined &&
    typeof permissions !== "function" &&
    !permissionPolicies.includes(permissions)
  )
    throw configErrors.invalidOption("permissions", '"reject_all", "ask", "allow_all" or a function');
  if (config.root !== undefined && config.root !== "durable" && config.root !== "memory")
    throw configErrors.invalidOption("root", '"durable" or "memory"');
  const wrong = wrongMount(config.mounts ?? []);
  if (wrong !== undefined) throw configErrors.invalidOption("mounts", wrong);
  checkLimits(config.limits ?? {});
  checkNetwork(config.network ?? {});
  for (const name of hookNames)
    if (config[name] !== undefined && typeof config[name] !== "function")
      throw configErrors.invalidOption(name, "a function");
  if (permissionTimeoutMs !== undefined && !(permissionTimeoutMs > 0))
    throw configErrors.invalidOption("permissionTimeoutMs", "a number above 0");
  if (agentStartTimeoutMs !== undefined && !(agentStartTimeoutMs > 0))
    throw configErrors.invalidOption("agentStartTimeoutMs", "a number above 0");
}

function checkLimits(limits: ProcessLimits): void {
  checkNames("limits", limits, limitNames);
  for (const name of limitNames) {
    const value = limits[name];
    if (value !== undefined && !(Number.isSafeInteger(value) && value > 0))
      throw configErrors.invalidOption(`limits.${name}`, "a whole number above 0");
  }
}

function checkNetwork(network: NetworkConfig): void {
  checkNames("network", network, networkNames);
  new NetworkPolicy(network);
  for (const [name, credential] of Object.entries(network.credentials ?? {}))
    if (typeof credential?.value !== "string" || credential.value === "" || !Array.isArray(credential.hosts))
      throw configErrors.invalidOption(`network.credentials.${name}`, "an object with `value` and `hosts`");
}

function checkNames(where: string, options: object, known: readonly string[]): void {
  for (const key of Object.keys(options))
    if (!known.includes(key)) throw configErrors.unknownOption(where, key, nearest(key, known));
}
