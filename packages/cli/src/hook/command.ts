/**
 * `troupe hook <agent>`: what an agent runs at its hooks, where it can't call an address itself. It hands the event from standard
 * input to the gateway, and the gateway's answer to the agent.
 *
 * An agent takes a hook that fails for one that has nothing to say, except by exit code 2: so a question that couldn't be asked
 * ends with that. Nothing else of the command line is loaded for it: it runs once for each event.
 */
import { request } from "node:http";
import { text } from "node:stream/consumers";
import { hookErrors } from "../errors.ts";
import { HOOK_HEADER } from "./hook-header.ts";

/** Where the gateway is; `troupe run` sets it for its agent. */
export const GATEWAY_VARIABLE = "TROUPE_GATEWAY_URL";

/** To agents: what was asked for must not happen. */
const BLOCKED = 2;
const FAILED = 1;

/** The gateway's own limit of time is shorter; an agent's patience with a hook is longer. */
const ANSWER_MS = 50_000;

/** Events whose hook may say no. Any other that isn't heard costs a line of the trace, and nothing else. */
const questions: ReadonlySet<string> = new Set(["PreToolUse", "BeforeTool"]);

/** The command's ways to the outside. */
export interface HookTerminal {
  readonly input: AsyncIterable<Uint8Array>;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  readonly exit: (code: number) => void;
}

/** The streams of this process, which the agent opened for it. */
export function thisProcess(): HookTerminal {
  return {
    input: process.stdin,
    env: process.env,
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    exit: (code) => {
      process.exitCode = code;
    },
  };
}

/** Asks the gateway for one event of `agent`. Never throws: its exit code says what the agent must know. */
export async function runHook(agent: string, { input, env, out, err, exit }: HookTerminal): Promise<void> {
  let event = "";
  try {
    event = await text(input);
    const gateway = env[GATEWAY_VARIABLE];
    if (gateway === undefined || !URL.canParse(gateway)) throw hookErrors.noGateway(GATEWAY_VARIABLE);
    out(`${await post(new URL(`${gateway}/hooks/${encodeURIComponent(agent)}`), event)}\n`);
  } catch (error) {
    err(`troupe: the gateway wasn't asked: ${error instanceof Error ? error.message : String(error)}\n`);
    exit(mayBlock(event) ? BLOCKED : FAILED);
  }
}

async function post(url: URL, event: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const signal = AbortSignal.timeout(ANSWER_MS);
  const sent = request(url, { method: "POST", signal, headers: { "content-type": "application/json" } });
  sent.once("error", reject);
  sent.once("response", (response) => {
    const { statusCode, headers } = response;
    text(response).then((body) => {
      if (statusCode === 200 && headers[HOOK_HEADER] === undefined)
        reject(hookErrors.noGatewayThere(url.origin));
      else if (statusCode === 200) resolve(body);
      else reject(hookErrors.notHeard(statusCode ?? 0, body));
    }, reject);
  });
  sent.end(event);
  return await promise;
}

/** What can't be read may have been a question. */
function mayBlock(event: string): boolean {
  try {
    return questions.has(String(Object(JSON.parse(event)).hook_event_name));
  } catch {
    return true;
  }
}
