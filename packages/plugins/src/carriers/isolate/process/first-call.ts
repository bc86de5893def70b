/** The words of an actor's first call: those that the guest's snapshot is warmed with. */
import { encodeArgs, NO_PAYLOAD } from "@troupe/protocol/actor/v1";
import { type HostFrame, PLUGIN_VERSIONS } from "@troupe/protocol/plugin/v1";

/** What an isolate is told of a new actor and its first call, the action `act`. */
export function firstCall({
  name,
  args,
}: {
  readonly name: string;
  readonly args: readonly unknown[];
}): HostFrame[] {
  const instance = 1;
  const start = {
    name,
    actor: name,
    key: [],
    actorId: "",
    generation: 1,
    createdAt: 0,
    isNew: true,
  };
  const terms = { timeoutMs: 0, idempotencyKey: "", caller: "", chain: [], depth: 0, trace: "" };
  const said = { call: 1, action: "act", args: encodeArgs(args, "cbor"), connection: 0, send: undefined };
  return [
    {
      body: {
        $case: "hello",
        value: { versions: [...PLUGIN_VERSIONS], config: NO_PAYLOAD, hostVersion: "" },
      },
    },
    {
      body: {
        $case: "actor",
        value: {
          instance,
          body: { $case: "start", value: { ...start, rows: [], input: NO_PAYLOAD, moreRows: false } },
        },
      },
    },
    {
      body: {
        $case: "actor",
        value: { instance, body: { $case: "call", value: { ...said, ...terms, params: NO_PAYLOAD } } },
      },
    },
  ];
}
