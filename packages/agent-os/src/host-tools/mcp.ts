/**
 * MCP: the few of its messages with which tools are offered, as a function of one message. Whoever asks is known already.
 *
 * A tool that fails is a result that says so, for the model to read; what isn't understood is an error of JSON-RPC.
 */
import { TroupeError } from "@troupe/base";
import type { OfferedTools } from "./host-tool.ts";

/** The newest version that is spoken, and those before it, in which these messages are the same. */
const versions = ["2025-06-18", "2025-03-26", "2024-11-05"];

const METHOD_NOT_FOUND = -32601;
const INVALID_PARAMS = -32602;
const INVALID_REQUEST = -32600;

/** Who hears of what a tool threw and its agent isn't told. */
export type OnToolFailed = (name: string, cause: unknown) => void;

/** The answer to a message; undefined: it was a notification, and has none. */
export async function answerMcp(
  message: unknown,
  tools: OfferedTools,
  onFailed: OnToolFailed,
): Promise<object | undefined> {
  const { id, method, params } = fieldsOf(message);
  if (typeof method !== "string") return failure(id ?? null, INVALID_REQUEST, "This is no request");
  if (id === undefined) return undefined;
  const given = fieldsOf(params);
  switch (method) {
    case "initialize":
      return success(id, hello(given["protocolVersion"]));
    case "ping":
      return success(id, {});
    case "tools/list":
      return success(id, { tools: tools.list });
    case "tools/call":
      return await call(id, given, tools, onFailed);
    default:
      return failure(id, METHOD_NOT_FOUND, `There is no ${method} here`);
  }
}

function hello(asked: unknown): object {
  const protocolVersion = versions.find((version) => version === asked) ?? versions[0];
  return { protocolVersion, capabilities: { tools: {} }, serverInfo: { name: "troupe", version: "1" } };
}

async function call(
  id: unknown,
  { name, arguments: args }: Record<string, unknown>,
  tools: OfferedTools,
  onFailed: OnToolFailed,
): Promise<object> {
  const tool = tools.list.find((offered) => offered.name === name);
  if (tool === undefined) return failure(id, INVALID_PARAMS, `There is no tool ${String(name)}`);
  try {
    const result = await tools.call(tool.name, fieldsOf(args));
    const text = typeof result === "string" ? result : (JSON.stringify(result) ?? "done");
    return success(id, { content: [{ type: "text", text }] });
  } catch (cause) {
    const told = TroupeError.is(cause) && cause.public;
    if (!told) onFailed(tool.name, cause);
    const text = told ? cause.message : "Internal error";
    return success(id, { content: [{ type: "text", text }], isError: true });
  }
}

function success(id: unknown, result: object): object {
  return { jsonrpc: "2.0", id, result };
}

function failure(id: unknown, code: number, message: string): object {
  return { jsonrpc: "2.0", id, error: { code, message } };
}

function fieldsOf(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : {};
}
