/** A tool of the program's own, which agents may call. */

/** What a tool is told of a call. */
export interface HostToolCall {
  readonly sessionId: string;
}

/**
 * A function that is offered to every agent that takes tools over MCP. `C` is the actor's context.
 *
 * What it returns is told as JSON, a text as it is. The text of a `TroupeError` (a `UserError`) that it throws is the agent's to read;
 * of any other error the agent learns that there was one.
 */
export interface HostTool<C> {
  /** For the model: what it does, and when to use it. */
  readonly description: string;
  /** What it takes, as JSON schema. Default: an object, of anything. The model is told of it, and held to it: `tool.arguments_invalid`. */
  readonly inputSchema?: Readonly<Record<string, unknown>>;
  run(c: C, args: Readonly<Record<string, unknown>>, call: HostToolCall): unknown;
}

/** Tools as a session has them: whose context it is, and which relay, is settled. */
export interface OfferedTools {
  readonly list: readonly OfferedTool[];
  /** Rejects with what the tool throws. */
  call(name: string, args: Readonly<Record<string, unknown>>): Promise<unknown>;
}

/** A tool as the model sees it. */
export interface OfferedTool {
  readonly name: string;
  readonly description: string;
  readonly inputSchema: Readonly<Record<string, unknown>>;
}
