/** What can't be undone is asked for once more. */
import { optionErrors } from "./errors.ts";

/** A way to ask. */
export interface Asking {
  /** Asks a person at a terminal, and gives what they typed; absent where nobody is there. */
  readonly ask?: (question: string) => Promise<string>;
}

/** Returns when somebody at a terminal types yes, or has typed `--yes`. Rejects with `config.not_confirmed`. */
export async function confirmed(
  what: string,
  { yes, terminal }: { readonly yes: boolean | undefined; readonly terminal: Asking },
): Promise<void> {
  if (yes === true) return;
  const answer = await terminal.ask?.(`${what} can't be undone. Type yes to do it: `);
  if (answer?.trim().toLowerCase() !== "yes") throw optionErrors.notConfirmed(what);
}
