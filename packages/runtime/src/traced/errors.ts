/** What an actor's code hears where it asks for a relay and there is none. */
import { error } from "../new-error.ts";

/** Group `actor`. */
export const relayErrors = {
  /** There may be one where its calls come from, and no stream goes by it. */
  noStreams: (name: string) =>
    error(
      500,
      "actor",
      "no_relay",
      `Actor "${name}" runs apart from its relay: c.llmStream isn't for plugins`,
    ),
  noRelay: (name: string) =>
    error(500, "actor", "no_relay", `Actor "${name}" runs under no relay: give one to \`setup({ relay })\``),
};
