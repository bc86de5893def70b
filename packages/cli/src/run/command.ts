/**
 * `troupe run -- agent`: a gateway for one agent and as long as it runs. It listens at a port of its own, under a token that
 * only the agent is told; when the agent ends, it ends in the same order as after a signal, and passes the exit code on.
 */

import { randomUUID } from "node:crypto";
import type { Relay } from "@troupe/relay";
import { nodeEnv } from "@troupe/runtime/process";
import type { Asking } from "../confirmed.ts";
import { runErrors } from "../errors.ts";
import type { Terminal } from "../gateway/command.ts";
import { Gateway } from "../gateway/gateway.ts";
import { type GatewayFlags, type GatewayOptions, readOptions } from "../gateway/options.ts";
import { describePlan, planGateway } from "../gateway/plan.ts";
import { newToken } from "../gateway/token.ts";
import { printable } from "../trace/printable.ts";
import { AgentProcess } from "./agent-process.ts";
import { describeStart } from "./agent-start.ts";
import { type AgentStart, behindGateway, presetNames, upstreamsOf } from "./agents.ts";
import { FilesWritten } from "./files-written.ts";
import { HeldLog } from "./held-log.ts";
import { RunSummary } from "./summary.ts";
import { whyUnasked } from "./unasked.ts";

/** As typed, before `--`. */
export interface RunFlags extends Omit<GatewayFlags, "bind" | "json"> {
  /** False: nothing is said at the end. */
  readonly summary?: boolean;
  /** Whose way of being told it is; default: by the program's name. */
  readonly agent?: string;
}

/** What the command needs of the process, beside what a gateway does. */
export interface RunTerminal extends Terminal, Asking {
  /** Calls `listener` at each signal that would end this process, which doesn't end it then. */
  readonly onSignal?: (listener: (signal: NodeJS.Signals) => void) => void;
  readonly exit?: (code: number) => void;
  /** A person is at a terminal: what they press is sent to the agent too. */
  readonly interactive?: boolean;
  /** How this program itself is run. */
  readonly self?: readonly string[];
}

/** A free port of the loopback interface. */
const ANYWHERE = "127.0.0.1:0";

/** Runs `program` behind a gateway. Throws what keeps either from starting. */
export async function runBehindGateway(
  flags: RunFlags,
  program: string,
  args: readonly string[],
  terminal: RunTerminal,
): Promise<void> {
  const run = readRun(flags, { program, args, env: terminal.env ?? {} }, terminal);
  if (run.options.dryRun) {
    terminal.out(await describeRun(run));
    return;
  }
  // From here on a signal is the agent's, also where it isn't there yet: plugins have to be ended too.
  const agentProcess = new AgentProcess(
    (listener) => terminal.onSignal?.(listener),
    terminal.interactive ?? false,
  );
  const summary = new RunSummary(new FilesWritten(terminal.cwd, Date.now()));
  const began = performance.now();
  // Standard error is the agent's screen, unless its user wants to read the log there.
  const held = run.start.env["TROUPE_LOG"] ? undefined : HeldLog.empty();
  const ran = withGateway(run, { agentProcess, summary, log: held });
  const exitCode = await ran.finally(() => terminal.err?.(held?.text() ?? ""));
  if (run.options.summary) terminal.err?.(summary.text((performance.now() - began) / 1_000));
  terminal.exit?.(exitCode);
}

/** What was asked for, checked. */
interface Run {
  readonly options: GatewayOptions;
  readonly start: AgentStart;
  /** Which agent it is, where the user says so. */
  readonly preset: string | undefined;
  /** Runs `troupe hook`, as a program and its arguments. */
  readonly hook: readonly string[];
  readonly cwd: string;
}

function readRun(flags: RunFlags, start: AgentStart, terminal: RunTerminal): Run {
  const { agent: preset } = flags;
  if (preset !== undefined && !presetNames().includes(preset))
    throw runErrors.unknownAgent(preset, presetNames());
  const asked = readOptions({ ...flags, bind: ANYWHERE }, terminal);
  const options = { ...asked, ...upstreamsOf(asked.upstreams, start.env) };
  return { options, start, preset, hook: [...(terminal.self ?? []), "hook"], cwd: terminal.cwd };
}

async function describeRun({ options, start, preset, hook, cwd }: Run): Promise<string> {
  const plan = await planGateway(options, start.env);
  const unasked = plan.plugins.length > 0 ? whyUnasked(start, preset) : undefined;
  const lines = describePlan(plan) + (await describeStart(start, { hook, cwd, preset }));
  return unasked === undefined ? lines : `${lines}${printable(`Would hear of no tool: ${unasked}`)}\n`;
}

/** What a run is told to, beside its agent. */
interface RunEars {
  readonly agentProcess: AgentProcess;
  readonly summary: RunSummary;
  readonly log: HeldLog | undefined;
}

/** The agent's exit code, when everything around it has ended. What fails behind the agent's end is told of, and doesn't change its code. */
async function withGateway(run: Run, ears: RunEars): Promise<number> {
  const { agentProcess, summary, log = nodeEnv().log } = ears;
  let ended: EndedAgent | undefined;
  try {
    await serveAgent(run, ears, (known) => {
      ended = known;
    });
  } catch (error) {
    // A signal that comes before the agent is there has asked for this end.
    const code = ended?.code ?? agentProcess.keptBy;
    if (code === undefined) throw error;
    if (ended !== undefined) log.error("the run didn't end as it should", { error });
    return code;
  }
  if (ended === undefined) throw new Error("a run without an end");
  const why = ended.guardsTools && !summary.asksOfTools ? whyNobodyAsked(run, summary) : undefined;
  if (agentProcess.hasRun && why !== undefined) log.warn(`guardrails of tools weren't asked: ${why}`);
  return ended.code;
}

/** What is known when the agent has ended, and the gateway hasn't. */
interface EndedAgent {
  readonly code: number;
  /** Something would have been asked about tools. */
  readonly guardsTools: boolean;
}

async function serveAgent(
  { options, start, preset, hook, cwd }: Run,
  { agentProcess, summary, log }: RunEars,
  ended: (known: EndedAgent) => void,
): Promise<void> {
  const token = newToken();
  let guardsTools = (): boolean => false;
  const agent = {
    token,
    session: randomUUID(),
    listen: (relay: Relay) => {
      summary.listen(relay);
      guardsTools = () => aboutTools.some((kind) => relay.has(kind));
    },
  };
  await using gateway = await Gateway.start(options, { env: start.env, agent, log });
  await using ending = new AsyncDisposableStack();
  const address = { origin: gateway.origin, token };
  const told = await behindGateway(start, { address, hook, cwd, ending }, preset);
  ended({ code: await agentProcess.run(told), guardsTools: guardsTools() });
}

const aboutTools = [
  "tool_conditional_execution_guardrail",
  "tool_request_intercept",
  "tool_execution_intercept",
] as const;

/** Undefined: of an agent that would have asked no tool is known. */
function whyNobodyAsked({ start, preset }: Run, { tools }: RunSummary): string | undefined {
  const why = whyUnasked(start, preset);
  if (why !== undefined || tools.size === 0) return why;
  return `models asked for tools, and ${start.program} asked nobody; a setting or an option of its own leaves hooks out, or this version knows them otherwise`;
}
