/** What an actor's code hears where it asks for a relay and there is none. */
import { error } from "../new-error.ts";

/** Group `actor`. */
export const relayErrors = {
  noRelay: (name: string) =>
    error(500, "actor", "no_relay", `Actor "${name}" runs under no relay: give one to \`setup({ relay })\``),
};
