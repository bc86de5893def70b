/** `troupe actors wake`, `sleep` and `destroy`. */

import { confirmed } from "../confirmed.ts";
import type { RunTerminal } from "../run/command.ts";
import { idOf } from "./address.ts";
import { InspectorApi } from "./inspector-api.ts";
import type { ActorsFlags } from "./look.ts";

/** As typed. */
export interface ChangeFlags extends ActorsFlags {
  readonly yes?: boolean;
}

const done = { wake: "is awake", sleep: "sleeps", destroy: "is destroyed" } as const;

/** Settles when it is done. Rejects with what the server answers: `inspector.read_only` where it only looks. */
export async function changeActor(
  verb: keyof typeof done,
  actor: string,
  flags: ChangeFlags,
  terminal: RunTerminal,
): Promise<void> {
  const api = new InspectorApi({ url: flags.url, env: terminal.env ?? {} });
  const id = await idOf(api, actor, flags.namespace);
  const { name, key } = await api.overview(id);
  const which = `${name} ${JSON.stringify(key)} (${id})`;
  if (verb === "destroy")
    await confirmed(`Destroying ${which} with all that it has`, { yes: flags.yes, terminal });
  await api.change(id, verb);
  terminal.out(
    flags.json ? `${JSON.stringify({ id, name, key, done: verb })}\n` : `${which} ${done[verb]}\n`,
  );
}
