/** A program that ends while a thread of a native plugin runs. Its argument is the library. */
import { encodePayload, NO_PAYLOAD } from "@troupe/protocol/actor/v1";
import type { ActorSaying } from "@troupe/runtime";
import { nativeCarrier } from "../../src/carriers/native/native-carrier.ts";
import { openSession } from "../../src/session/open-session.ts";
import { nodeSessionEnv } from "../support/node-env.ts";

const late = setTimeout(() => process.exit(3), 30_000);
const library = process.argv[2] ?? "";
const session = await openSession({
  env: nodeSessionEnv,
  open: nativeCarrier({ library }),
  hostVersion: "0",
});
const heard = (saying: ActorSaying) => {
  // The action has begun: nothing keeps the program any more.
  if (saying.$case === "event") clearTimeout(late);
};
const line = session.actor("lanes").connect({ heard, lost: () => process.exit(2) });
const name = { name: "lanes", key: [], actorId: "", actor: "lanes", input: NO_PAYLOAD };
const rest = { generation: 1, createdAt: 0, isNew: true, rows: [], moreRows: false };
line.send({ $case: "start", value: { ...name, ...rest } });
const call = { call: 1, action: "spin", args: encodePayload([], "json"), connection: 0, params: NO_PAYLOAD };
const terms = {
  timeoutMs: 0,
  send: undefined,
  idempotencyKey: "",
  caller: "",
  chain: [],
  depth: 0,
  trace: "",
};
line.send({ $case: "call", value: { ...call, ...terms } });
