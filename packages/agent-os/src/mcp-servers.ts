/** MCP servers that a program gives its agents, as ACP has them: what is wrong with one an agent says in its own words, or not at all. */
import type { McpServer } from "@agentclientprotocol/sdk";
import { configErrors } from "./errors.ts";

/** Throws `config.invalid_option`, with the place of the first that is none. */
export function checkMcpServers(where: string, servers: readonly McpServer[]): void {
  if (!Array.isArray(servers)) throw configErrors.invalidOption(where, "a list of MCP servers");
  const wrong = servers.findIndex((server: unknown) => !isServer(server));
  if (wrong !== -1)
    throw configErrors.invalidOption(
      `${where}[${wrong}]`,
      'an MCP server as ACP has them: { name, command, args, env } or { type: "http" | "sse", name, url, headers }, where env and headers are lists of { name, value }',
    );
}

/** How an agent reaches it: "http" and "sse" not every agent can. */
export function wayTo(server: McpServer): "http" | "sse" | undefined {
  return "type" in server && (server.type === "http" || server.type === "sse") ? server.type : undefined;
}

function isServer(server: unknown): boolean {
  if (!isFields(server) || !isText(server["name"]) || server["name"] === "") return false;
  const { type = "stdio", command, args, env, url, headers } = server;
  if (type === "http" || type === "sse") return isAddress(url) && arePairs(headers);
  if (type !== "stdio" || !isText(command) || command === "") return false;
  return Array.isArray(args) && args.every(isText) && arePairs(env);
}

function arePairs(value: unknown): boolean {
  return (
    Array.isArray(value) &&
    value.every((pair: unknown) => isFields(pair) && isText(pair["name"]) && isText(pair["value"]))
  );
}

function isAddress(value: unknown): boolean {
  return isText(value) && /^https?:$/.test(URL.parse(value)?.protocol ?? "");
}

function isText(value: unknown): value is string {
  return typeof value === "string" && !value.includes("\0");
}

function isFields(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}
