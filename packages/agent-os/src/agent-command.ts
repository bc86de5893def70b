/** How an agent's program is started, and what it may use. */
import type { McpServer } from "@agentclientprotocol/sdk";
import { configErrors } from "./errors.ts";
import { checkNames } from "./known-names.ts";
import { checkMcpServers } from "./mcp-servers.ts";

/** A program that speaks ACP on its stdin and stdout. It runs as a process of the host, unless it says that it is `inside`. */
export interface AgentCommand {
  readonly command: string;
  readonly args?: readonly string[];
  /** Its environment, beside PATH, HOME, LANG and TMPDIR. Nothing else of the host's is passed on. */
  readonly env?: Readonly<Record<string, string>>;
  /** Where the process starts. Default: where the host did, or for one that is inside "/home/user". */
  readonly cwd?: string;
  /**
   * True: it runs as a process of the sandbox, which must be one of real processes, with its files, limits, variables and network; it
   * isn't offered `tools`. Default: outside.
   */
  readonly inside?: boolean;
  /** The id of the way in which it authenticates, where it must: one of its `authMethods`. Default: none. */
  readonly authMethod?: string;
  /** MCP servers that it is given for each session, beside the program's own `tools`. */
  readonly mcpServers?: readonly McpServer[];
  /** Whether it may use the sandbox's files and terminals. What it isn't offered it does by itself, on the host. Default: both. */
  readonly offers?: { readonly files?: boolean; readonly terminals?: boolean };
}

const names = ["command", "args", "env", "cwd", "inside", "authMethod", "mcpServers", "offers"];

/** Throws `config.*` where an agent isn't one, or can't be in its sandbox: no system starts a program with a null byte in what it is given. */
export function checkAgents(agents: Readonly<Record<string, AgentCommand>>, hasRealProcesses: boolean): void {
  for (const [name, agent] of Object.entries(agents)) {
    const where = `agents.${name}`;
    if (!isWord(agent?.command) || agent.command === "")
      throw configErrors.invalidOption(where, "an object with a `command`");
    checkNames(where, agent, names);
    const { args = [], env = {}, cwd, authMethod, mcpServers = [], offers = {} } = agent;
    if (!Array.isArray(args) || !args.every(isWord))
      throw configErrors.invalidOption(`${where}.args`, "a list of texts without null bytes");
    if (typeof env !== "object" || env === null || !Object.entries(env).every(isVariable))
      throw configErrors.invalidOption(
        `${where}.env`,
        "texts by their names, without null bytes, and no = in a name",
      );
    if (cwd !== undefined && (!isWord(cwd) || cwd === ""))
      throw configErrors.invalidOption(`${where}.cwd`, "a path");
    if (authMethod !== undefined && typeof authMethod !== "string")
      throw configErrors.invalidOption(`${where}.authMethod`, "the id of a method");
    checkMcpServers(`${where}.mcpServers`, mcpServers);
    if (agent.inside === true && !hasRealProcesses)
      throw configErrors.invalidOption(
        `${where}.inside`,
        "of a sandbox of real processes: see ProcessDriver",
      );
    checkNames(`${where}.offers`, offers, ["files", "terminals"]);
  }
}

function isWord(value: unknown): value is string {
  return typeof value === "string" && !value.includes("\0");
}

/** One without a value isn't passed on. */
function isVariable([name, value]: readonly [string, unknown]): boolean {
  return name !== "" && !/[=\0]/.test(name) && (value === undefined || isWord(value));
}
