/**
 * `troupe run -- agent`: a gateway for one agent and as long as it runs. It listens at a port of its own, under a token that
 * only the agent is told; when the agent ends, it ends in the same order as after a signal, and passes the exit code on.
 */
import { randomUUID } from "node:crypto";
import type { Relay } from "@troupe/relay";
import { runErrors } from "../errors.ts";
import type { Terminal } from "../gateway/command.ts";
import { Gateway } from "../gateway/gateway.ts";
import { type GatewayFlags, readOptions } from "../gateway/options.ts";
import { describePlan, planGateway } from "../gateway/plan.ts";
import { newToken } from "../gateway/token.ts";
import { AgentProcess } from "./agent-process.ts";
import { describeStart } from "./agent-start.ts";
import { behindGateway, presetNames, upstreamsOf } from "./agents.ts";
import { FilesWritten } from "./files-written.ts";
import { HeldLog } from "./held-log.ts";
import { RunSummary } from "./summary.ts";

/** As typed, before `--`. */
export interface RunFlags extends Omit<GatewayFlags, "bind" | "json"> {
  /** False: nothing is said at the end. */
  readonly summary?: boolean;
  /** Whose way of being told it is; default: by the program's name. */
  readonly agent?: string;
}

/** What the command needs of the process, beside what a gateway does. */
export interface RunTerminal extends Terminal {
  /** Standard error. */
  readonly err?: (text: string) => void;
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
  const env = terminal.env ?? {};
  if (flags.agent !== undefined && !presetNames().includes(flags.agent))
    throw runErrors.unknownAgent(flags.agent, presetNames());
  const asked = readOptions({ ...flags, bind: ANYWHERE }, terminal);
  const options = { ...asked, upstreams: upstreamsOf(asked.upstreams, env) };
  const hook = [...(terminal.self ?? []), "hook"];
  const start = { program, args, env };
  if (options.dryRun) {
    const plan = describePlan(await planGateway(options, env));
    terminal.out(plan + (await describeStart(start, { hook, cwd: terminal.cwd, preset: flags.agent })));
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
  const log = env["TROUPE_LOG"] ? undefined : HeldLog.empty();
  const exitCode = await withGateway().finally(() => terminal.err?.(log?.text() ?? ""));
  if (options.summary) terminal.err?.(summary.text((performance.now() - began) / 1_000));
  terminal.exit?.(exitCode);

  async function withGateway(): Promise<number> {
    const token = newToken();
    const agent = {
      token,
      session: randomUUID(),
      listen: (relay: Relay) => summary.listen(relay),
    };
    await using gateway = await Gateway.start(options, { env, agent, log });
    await using ending = new AsyncDisposableStack();
    const told = await behindGateway(
      start,
      { address: { origin: gateway.origin, token }, hook, cwd: terminal.cwd, ending },
      flags.agent,
    );
    return await agentProcess.run(told);
  }
}
