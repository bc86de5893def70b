/**
 * The chain of a result that comes in pieces: the items of an action, the body of an answer.
 *
 * The runtime asks for one piece after the other, but the code that makes them is one action: its statements are one chain
 * from the first piece to the end, so that what it began before a piece is still open behind it. When the code that returned
 * the result left a transaction open, the pieces go on with that one's chain. What is open behind the last one is undone.
 */
import { SqlChain } from "../../sql/chain.ts";
import type { Activation } from "./activation.ts";
import type { Running } from "./activation-services.ts";
import type { CallRun } from "./call-run.ts";
import { finishChain } from "./enter-chain.ts";

/** All that a call's code does from now on is one chain, until `leaveFlow`. Only for actors with a database. */
export function enterFlow({ behaviour }: Activation, run: CallRun): void {
  if (behaviour.database !== undefined) run.flow ??= new SqlChain(run.activation);
}

/** Who makes an answer's body: no call, but the chain of the handler that has returned it. */
export function bodyFlow(activation: Activation, run: CallRun | undefined): Running | undefined {
  if (activation.behaviour.database === undefined) return undefined;
  return { activation, flow: run?.flow ?? new SqlChain(activation) };
}

/** No piece comes any more. Never rejects. */
export async function leaveFlow({ log }: Activation, running: Running | undefined): Promise<void> {
  const chain = running?.flow;
  if (chain?.innermost !== undefined) await finishChain(chain, log);
}
