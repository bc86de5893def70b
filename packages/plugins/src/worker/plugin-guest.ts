/** Runs the actors of a plugin in TypeScript, as the runtime runs its own. Only plugins that have actors import it. */
import type { FromActor } from "@troupe/protocol/actor/v1";
import { HostAsk, type PluginFrame } from "@troupe/protocol/plugin/v1";
import type { AnyActorDefinition } from "@troupe/runtime";
import { Guest } from "@troupe/runtime/guest";
import { nodeEnv } from "@troupe/runtime/process";
import { LineLogger } from "../carriers/isolate/guest/log.ts";
import type { HostLink } from "./host-handle.ts";
import { relayElsewhere } from "./relay-elsewhere.ts";

/** A guest whose messages and log lines are frames. Throws `actor.not_carried`, `config.*`. */
export function guestOf(
  use: Readonly<Record<string, AnyActorDefinition>>,
  send: (frame: PluginFrame) => void,
  host: Pick<HostLink, "tell" | "open">,
): Guest {
  const log = new LineLogger((level, message, fields) =>
    send({ body: { $case: "log", value: { line: { level, message }, fields } } }),
  );
  return new Guest({
    env: { ...nodeEnv(), log },
    use,
    relayElsewhere: relayElsewhere({
      tell: (ask, input) => host.tell(ask, input),
      lend: (ask, input, code) => {
        const { call, answer } = host.open({ ask, invoke: 0, input, code });
        return {
          answer,
          abort: () => host.tell(HostAsk.ABORT_CALL, { call }),
          read: (act) => host.open({ ask: HostAsk.READ_STREAM, invoke: 0, input: { call, act } }).answer,
        };
      },
    }),
    send: (value: FromActor) => send({ body: { $case: "actor", value } }),
  });
}
