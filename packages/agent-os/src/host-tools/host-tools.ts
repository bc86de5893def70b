/** HostTools: the program's own tools, with the actor's context, for one session after the other. */
import { setImmediate } from "node:timers/promises";
import type { McpServer } from "@agentclientprotocol/sdk";
import type { Logger } from "@troupe/base";
import type { HookContext } from "../hooks.ts";
import type { HostTool, OfferedTool, OfferedTools } from "./host-tool.ts";
import { ToolArguments } from "./tool-arguments.ts";
import { type ToolAccess, ToolServer } from "./tool-server.ts";

type Arguments = Readonly<Record<string, unknown>>;

/** Runs a tool as a part of a prompt: under the relay, where there is one. */
export type RunTool = (name: string, args: Arguments, run: (args: Arguments) => unknown) => Promise<unknown>;

/** What they are made of. */
export interface HostToolsParts {
  readonly tools: Readonly<Record<string, HostTool<HookContext>>>;
  /** Undefined before the actor has woken, when no agent runs. */
  readonly context: () => HookContext | undefined;
  readonly log: Pick<Logger, "warn">;
}

/** A session's tools, and how its agent gets at them. */
export interface SessionTools extends Disposable {
  readonly servers: readonly McpServer[];
}

const none: SessionTools = { servers: [], [Symbol.dispose]: () => undefined };

/** The tools of one activation. */
export class HostTools {
  readonly #parts: HostToolsParts;
  readonly #server: ToolServer;
  readonly #list: readonly OfferedTool[];
  readonly #checks: ReadonlyMap<string, ToolArguments>;
  #lastTurn: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(parts: HostToolsParts) {
    this.#parts = parts;
    this.#list = Object.entries(parts.tools).map(
      ([name, { description, inputSchema = { type: "object" } }]) => ({
        name,
        description,
        inputSchema,
      }),
    );
    this.#checks = new Map(
      this.#list.map(({ name, inputSchema }) => [name, new ToolArguments(name, inputSchema)]),
    );
    this.#server = new ToolServer((name, cause) =>
      parts.log.warn("a tool of an agent failed", { name, cause }),
    );
  }

  /** Offers them to a session's agent, until they are disposed of. One that doesn't take MCP over HTTP gets none. */
  async offer(sessionId: string, takesHttp: boolean, run: RunTool): Promise<SessionTools> {
    if (this.#list.length === 0 || this.#closed) return none;
    if (!takesHttp) {
      this.#parts.log.warn("an agent takes no MCP servers over HTTP: it isn't offered the tools", {
        sessionId,
      });
      return none;
    }
    const access = await this.#server.open(this.#forSession(sessionId, run));
    return { servers: [serverOf(access)], [Symbol.dispose]: () => access[Symbol.dispose]() };
  }

  /** Ends what runs. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#server.close();
  }

  /** A check may take a while, on the thread of everybody: between two of them all others have a turn, however many calls come at once. */
  async #turn(): Promise<void> {
    const turn = this.#lastTurn.then(() => setImmediate());
    this.#lastTurn = turn;
    await turn;
  }

  #forSession(sessionId: string, run: RunTool): OfferedTools {
    const call = async (name: string, args: Arguments) => {
      const tool = this.#parts.tools[name];
      const context = this.#parts.context();
      if (tool === undefined || context === undefined) return undefined;
      return await run(name, args, async (given) => {
        await this.#turn();
        // A guardrail may have changed them.
        this.#checks.get(name)?.check(given);
        return await tool.run(context, given, { sessionId });
      });
    };
    return { list: this.#list, call };
  }
}

function serverOf({ url, token }: ToolAccess): McpServer {
  const headers = [{ name: "Authorization", value: `Bearer ${token}` }];
  return { type: "http", name: "troupe", url, headers };
}
