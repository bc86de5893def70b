/**
 * Terminals: the commands that an agent asks for over ACP. They run in the sandbox.
 *
 * A sandbox gives a command's output when it ends: until then a terminal shows none.
 */
import type {
  CreateTerminalRequest,
  TerminalExitStatus,
  TerminalOutputResponse,
} from "@agentclientprotocol/sdk";
import { TroupeError } from "@troupe/base";
import { limits } from "@troupe/protocol";
import { shellWord } from "../sandbox/shell-word.ts";
import { type AgentPlace, refused } from "./agent-place.ts";

interface Terminal {
  readonly abort: AbortController;
  readonly done: Promise<TerminalExitStatus>;
  output: string;
  truncated: boolean;
  status: TerminalExitStatus | undefined;
}

/** The terminals of one agent. */
export class Terminals {
  readonly #place: Pick<AgentPlace, "sandbox">;
  readonly #terminals = new Map<string, Terminal>();
  #created = 0;

  constructor(place: Pick<AgentPlace, "sandbox">) {
    this.#place = place;
  }

  /** Starts a command; resolves to the terminal's id at once. */
  create(request: CreateTerminalRequest): string {
    if (this.#terminals.size >= limits.agentTerminals)
      throw refused(`an agent can have ${limits.agentTerminals} terminals`);
    this.#created += 1;
    const id = `terminal-${this.#created}`;
    const abort = new AbortController();
    const terminal: Terminal = {
      abort,
      done: Promise.resolve().then(() => this.#run(request, terminal)),
      output: "",
      truncated: false,
      status: undefined,
    };
    this.#terminals.set(id, terminal);
    return id;
  }

  output(id: string): TerminalOutputResponse {
    const { output, truncated, status } = this.#get(id);
    return { output, truncated, ...(status === undefined ? {} : { exitStatus: status }) };
  }

  waitForExit(id: string): Promise<TerminalExitStatus> {
    return this.#get(id).done;
  }

  kill(id: string): void {
    this.#get(id).abort.abort();
  }

  release(id: string): void {
    this.kill(id);
    this.#terminals.delete(id);
  }

  /** Ends what runs: the agent is gone. */
  close(): void {
    for (const id of this.#terminals.keys()) this.release(id);
  }

  /** Never rejects: what the sandbox refuses is a command that failed. */
  async #run(request: CreateTerminalRequest, terminal: Terminal): Promise<TerminalExitStatus> {
    const env = Object.fromEntries((request.env ?? []).map(({ name, value }) => [name, value]));
    const cwd = request.cwd ?? undefined;
    try {
      const sandbox = await this.#place.sandbox();
      const options = { env, ...(cwd === undefined ? {} : { cwd }) };
      const result = await sandbox.exec(commandLine(request), options, terminal.abort.signal);
      terminal.output = lastBytes(result.stdout + result.stderr, request.outputByteLimit ?? undefined);
      terminal.truncated =
        result.truncated || terminal.output.length < result.stdout.length + result.stderr.length;
      terminal.status = { exitCode: result.exitCode, signal: null };
    } catch (cause) {
      const cancelled = TroupeError.is(cause) && cause.code !== "deadline_exceeded";
      terminal.output = cause instanceof Error ? `${cause.message}\n` : "";
      terminal.status = { exitCode: null, signal: cancelled ? "SIGTERM" : "SIGKILL" };
    }
    return terminal.status;
  }

  #get(id: string): Terminal {
    const terminal = this.#terminals.get(id);
    if (terminal === undefined) throw refused(`there is no terminal ${id}`);
    return terminal;
  }
}

/** A shell reads the command, so that agents may send whole lines in it; arguments are passed as they are. */
function commandLine({ command, args }: CreateTerminalRequest): string {
  return [command, ...(args ?? []).map(shellWord)].join(" ");
}

/** The end of a text, at most so many bytes of UTF-8, in whole characters. */
function lastBytes(text: string, bytes = Infinity): string {
  const encoded = Buffer.from(text);
  if (encoded.byteLength <= bytes) return text;
  let from = encoded.byteLength - bytes;
  while (from < encoded.byteLength && ((encoded[from] ?? 0) & 0xc0) === 0x80) from += 1;
  return encoded.subarray(from).toString();
}
