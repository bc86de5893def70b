/**
 * What `agentOS({ … })` takes.
 */
import { checkNetwork, type NetworkConfig } from "@troupe/runtime/egress";
import { type PermissionPolicy, permissionPolicies } from "./acp/permissions.ts";
import { type AgentCommand, checkAgents } from "./agent-command.ts";
import { configErrors } from "./errors.ts";
import { type AgentOSHooks, type HookContext, hookNames } from "./hooks.ts";
import type { HostTool } from "./host-tools/host-tool.ts";
import { ToolArguments } from "./host-tools/tool-arguments.ts";
import { checkNames } from "./known-names.ts";
import { checkModels, type ModelsConfig } from "./models/models.ts";
import { LONGEST_MS } from "./processes/arguments.ts";
import type { ProcessLimits } from "./processes/processes.ts";
import { type Mount, wrongMount } from "./sandbox/mounts.ts";
import type { SandboxDriver } from "./sandbox/sandbox.ts";

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
  /** Functions of the program's own, offered to each agent that takes tools over MCP and HTTP. */
  readonly tools?: Readonly<Record<string, HostTool<HookContext>>>;
  /**
   * Where agents' model calls go: through a proxy of the actor's own, so that guardrails and usage of the relay apply. Each agent outside gets
   * its address as ANTHROPIC_BASE_URL, OPENAI_BASE_URL and GOOGLE_GEMINI_BASE_URL, unless its `env` says otherwise. Default: none.
   */
  readonly models?: ModelsConfig;
  /** What its processes may use. */
  readonly limits?: ProcessLimits;
  /** An agent must be ready in this time. Milliseconds; default 30,000. */
  readonly agentStartTimeoutMs?: number;
  /** An agent that is at its turn so long behind a cancel is ended. Milliseconds; default 10,000. */
  readonly agentCancelTimeoutMs?: number;
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
  "tools",
  "models",
  "agentStartTimeoutMs",
  "agentCancelTimeoutMs",
  "actions",
  "events",
  ...hookNames,
];
const limitNames: readonly (keyof ProcessLimits)[] = ["processes", "processOutputBytes", "processMs"];

/** Throws `config.*` where the options aren't ones. */
export function checkConfig(config: AgentOSConfig): void {
  if (typeof config !== "object" || config === null)
    throw configErrors.invalidOption("agentOS()", "called with an object, or with nothing");
  if ("options" in config) throw configErrors.optionsInside();
  checkNames("agentOS", config, optionNames);
  checkAgents(config.agents ?? {}, config.sandbox?.hasRealProcesses === true);
  const { permissions, agentStartTimeoutMs, agentCancelTimeoutMs, permissionTimeoutMs } = config;
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
  checkTools(config.tools ?? {});
  if (config.models !== undefined) {
    checkNames("models", config.models, ["upstreams", "keys", "unknownPaths"]);
    checkModels(config.models);
  }
  checkNetwork(config.network ?? {});
  for (const name of hookNames)
    if (config[name] !== undefined && typeof config[name] !== "function")
      throw configErrors.invalidOption(name, "a function");
  if (permissionTimeoutMs !== undefined && !(permissionTimeoutMs > 0))
    throw configErrors.invalidOption("permissionTimeoutMs", "a number above 0");
  const times = { agentStartTimeoutMs, agentCancelTimeoutMs };
  for (const [name, value] of Object.entries(times))
    if (value !== undefined && !(value > 0)) throw configErrors.invalidOption(name, "a number above 0");
}

function checkTools(tools: NonNullable<AgentOSConfig["tools"]>): void {
  for (const [name, tool] of Object.entries(tools)) {
    if (!/^[\w-]{1,64}$/.test(name))
      throw configErrors.invalidOption(`tools.${name}`, "named with at most 64 of a-z, A-Z, 0-9, _ and -");
    if (typeof tool?.description !== "string" || typeof tool.run !== "function")
      throw configErrors.invalidOption(`tools.${name}`, "an object with `description` and `run`");
    checkNames(`tools.${name}`, tool, ["description", "inputSchema", "run"]);
    if (tool.inputSchema !== undefined) new ToolArguments(name, tool.inputSchema);
  }
}

function checkLimits(limits: ProcessLimits): void {
  checkNames("limits", limits, limitNames);
  for (const name of limitNames) {
    const value = limits[name];
    if (value !== undefined && !(Number.isSafeInteger(value) && value > 0))
      throw configErrors.invalidOption(`limits.${name}`, "a whole number above 0");
    if (name === "processMs" && value !== undefined && value > LONGEST_MS)
      throw configErrors.invalidOption("limits.processMs", `at most ${LONGEST_MS}`);
  }
}
