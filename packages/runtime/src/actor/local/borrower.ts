/**
 * Who may go on writing to what it assigned into the state: the call whose code runs now, or, outside of calls (hooks, `run`,
 * what was left behind), the rest of the turn.
 */
import type { Activation } from "./activation.ts";
import type { Running } from "./activation-services.ts";
import { CallRun } from "./call-run.ts";
import type { Borrower } from "./state-loans.ts";

/** The turn of an activation that has borrowed, until it is over. */
const turns = new WeakMap<Activation, Turn>();

/** The one that assigns now. `running`: whose code it is. */
export function borrowerOf(activation: Activation, running: Running | undefined): Borrower {
  if (running instanceof CallRun && running.activation === activation && !running.released) return running;
  let turn = turns.get(activation);
  if (turn === undefined) {
    turn = new Turn();
    turns.set(activation, turn);
    activation.env.afterTurn(() => endTurn(activation));
  }
  return turn;
}

function endTurn(activation: Activation): void {
  const turn = turns.get(activation);
  turns.delete(activation);
  turn?.end((cause) => activation.log.error("what was written to the state can't be stored", { cause }));
}

/** One turn. */
class Turn implements Borrower {
  readonly #ends: (() => void)[] = [];

  atEnd(end: () => void): void {
    this.#ends.push(end);
  }

  end(failed: (cause: unknown) => void): void {
    for (const end of this.#ends) {
      try {
        end();
      } catch (cause) {
        failed(cause);
      }
    }
  }
}
