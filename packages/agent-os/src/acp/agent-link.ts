/**
 * AgentLink: a connection to an agent's process over ACP, spoken by the official SDK.
 *
 * Its requests are answered by the sandbox and by policy; its updates go to one listener, in their order. Whatever ends the
 * link (the process, a flood of noise, a message that is too long) has one reason, which every request in flight rejects
 * with. A link that has ended has no process any more. A process that ends by itself has been read to its last word before: an
 * answer that it gave in its last breath is one.
 */
import {
  type AnyMessage,
  type ClientApp,
  type ClientContext,
  client,
  methods,
  RequestError,
  type SessionNotification,
  type Stream,
} from "@agentclientprotocol/sdk";
import { TroupeError } from "@troupe/base";
import type { AgentCommand } from "../agent-command.ts";
import { agentErrors } from "../errors.ts";
import { type AgentPlace, refused, toRequestError } from "./agent-place.ts";
import { AgentProcess, type AgentProgram } from "./agent-process.ts";
import { LateAgent } from "./late-agent.ts";
import { messagesOf } from "./message-lines.ts";
import { startInSandbox } from "./sandbox-agent.ts";
import { Terminals } from "./terminals.ts";

/** What a link is made of. */
export interface AgentLinkParts {
  readonly command: AgentCommand;
  readonly place: AgentPlace;
  /** Variables of its environment that must be asked for, beside its own; undefined: there are none. */
  readonly environment?: Promise<Readonly<Record<string, string>>> | undefined;
  readonly onUpdate: (notification: SessionNotification) => void;
  /** Settles when all updates so far are dealt with: the agent is read no faster than that. */
  readonly caughtUp: () => Promise<void>;
}

/** A connected agent. */
export class AgentLink {
  /** Settles, never rejects, with why the link has ended. */
  readonly ended: Promise<TroupeError>;
  readonly #process: AgentProgram;
  readonly #terminals: Terminals;
  readonly #agent: ClientContext;
  readonly #end: (why: TroupeError) => void;
  /** Settles when no message of the process is left unread. */
  readonly #read = Promise.withResolvers<void>();
  /** Requests that wait for their answers. */
  readonly #asked = new Set<unknown>();
  #noise: string | undefined;
  #updates = 0;

  constructor(parts: AgentLinkParts) {
    const ended = Promise.withResolvers<TroupeError>();
    this.ended = ended.promise;
    this.#end = ended.resolve;
    this.#process = programOf(parts);
    this.#terminals = new Terminals(parts.place);
    const connection = app(parts.place, this.#terminals).connect(this.#stream(parts));
    this.#agent = connection.agent;
    void Promise.all([this.#process.ended, this.#read.promise]).then(([why]) => this.#end(why));
    // An agent that can't be heard or told any more is ended; its exit is the reason.
    void connection.closed.then(() => {
      this.#read.resolve();
      return this.#process.end();
    });
    void this.ended.then((why) => {
      connection.close(why);
      this.#terminals.close();
      return this.#process.end();
    });
  }

  get stderr(): string {
    return this.#process.stderr;
  }

  /** The first line that wasn't a message, if there was one. */
  get noise(): string | undefined {
    return this.#noise;
  }

  /** How many updates have come. */
  get updates(): number {
    return this.#updates;
  }

  /**
   * Makes a request by `send`. Rejects with `agent.*`: why the link ended, that the agent refused, or that its answer has not the `text`
   * that whoever asks can't do without.
   */
  async request<R>(method: string, send: (agent: ClientContext) => Promise<R>, text?: keyof R): Promise<R> {
    const gone = this.ended.then((why) => Promise.reject(why));
    try {
      const answer = await Promise.race([send(this.#agent), gone]);
      if (text !== undefined && typeof answer[text] !== "string")
        throw agentErrors.answerInvalid({ method, stderr: this.stderr });
      return answer;
    } catch (cause) {
      if (TroupeError.is(cause)) throw cause;
      if (cause instanceof RequestError)
        throw agentErrors.refused({ ...refusal(cause), method, stderr: this.stderr });
      // The SDK's word for a stream that ended; the reason is on its way.
      throw await this.ended;
    }
  }

  /** Tells the agent something; an agent that is gone isn't told. */
  async notify(send: (agent: ClientContext) => Promise<void>): Promise<void> {
    await send(this.#agent).catch(() => undefined);
  }

  /** Ends the link for a reason; settles when the process is gone. */
  async close(why: TroupeError): Promise<void> {
    this.#end(why);
    await this.#process.ended;
  }

  #stream({ onUpdate, caughtUp }: AgentLinkParts): Stream {
    const listeners = {
      onUpdate: (notification: SessionNotification) => {
        this.#updates += 1;
        onUpdate(notification);
      },
      caughtUp,
      answers: (id: unknown) => this.#asked.delete(id),
      onNoise: (line: string) => {
        this.#noise ??= line;
      },
    };
    const messages = messagesOf(this.#process.stdout, listeners, () => this.stderr);
    const readable = new ReadableStream<AnyMessage>({
      pull: async (controller) => {
        try {
          const { done, value } = await messages.next();
          if (done !== true) return controller.enqueue(asAnswer(value));
          this.#read.resolve();
          controller.close();
        } catch (cause) {
          this.#read.resolve();
          if (TroupeError.is(cause)) this.#end(cause);
          controller.error(cause);
        }
      },
    });
    const writable = new WritableStream<AnyMessage>({
      write: (message) => {
        if ("method" in message && "id" in message) this.#asked.add(message.id);
        return this.#process.write(`${JSON.stringify(message)}\n`);
      },
    });
    return { readable, writable };
  }
}

function programOf({ command, place, environment }: AgentLinkParts): AgentProgram {
  if (command.inside === true) return new LateAgent(command.command, startInSandbox(command, place));
  if (environment === undefined) return new AgentProcess(command);
  const started = environment.then(
    (more) => new AgentProcess({ ...command, env: { ...more, ...command.env } }),
  );
  return new LateAgent(command.command, started);
}

/** In ACP each result is an object; some agents say null where there is nothing to say. */
function asAnswer(message: AnyMessage): AnyMessage {
  if (!("result" in message) || (typeof message.result === "object" && message.result !== null))
    return message;
  return { ...message, result: {} };
}

function refusal({ code, message, data }: RequestError) {
  return { code, message, data };
}

/** What an agent may ask of us. */
function app(place: AgentPlace, terminals: Terminals): ClientApp {
  const { fs, session, terminal } = methods.client;
  return client({ name: "troupe" })
    .onRequest(session.requestPermission, ({ params }) => place.permit(params))
    .onRequest(fs.readTextFile, async ({ params }) => {
      const content = await inSandbox(place, (sandbox) => sandbox.readFile(absolute(params.path)));
      return { content: lines(new TextDecoder().decode(content), params.line, params.limit) };
    })
    .onRequest(fs.writeTextFile, async ({ params }) => {
      const content = new TextEncoder().encode(params.content);
      await inSandbox(place, (sandbox) => sandbox.writeFile(absolute(params.path), content));
      return {};
    })
    .onRequest(terminal.create, ({ params }) => ({ terminalId: terminals.create(params) }))
    .onRequest(terminal.output, ({ params }) => terminals.output(params.terminalId))
    .onRequest(terminal.waitForExit, ({ params }) => terminals.waitForExit(params.terminalId))
    .onRequest(terminal.kill, ({ params }) => {
      terminals.kill(params.terminalId);
      return {};
    })
    .onRequest(terminal.release, ({ params }) => {
      terminals.release(params.terminalId);
      return {};
    });
}

async function inSandbox<R>(
  place: AgentPlace,
  work: (sandbox: Awaited<ReturnType<AgentPlace["sandbox"]>>) => Promise<R>,
): Promise<R> {
  try {
    return await work(await place.sandbox());
  } catch (cause) {
    throw toRequestError(cause);
  }
}

/** ACP's paths are absolute. */
function absolute(path: string): string {
  if (path.startsWith("/")) return path;
  throw refused(`A path is absolute; "${path}" is not`);
}

/** Part of a text: `limit` lines from `line` on, which counts from 1. */
function lines(text: string, line: number | null | undefined, limit: number | null | undefined): string {
  if (line == null && limit == null) return text;
  const from = Math.max((line ?? 1) - 1, 0);
  const all = text.split(/(?<=\n)/);
  return all.slice(from, limit == null ? undefined : from + limit).join("");
}
