/** What the hooks' types promise, checked by `tsc`: each `@ts-expect-error` is an error that a user must get. */
import type { createRivetKit } from "../../src/react/index.ts";
import type { RoomRegistry } from "../support/room.ts";

type Kit = ReturnType<typeof createRivetKit<RoomRegistry>>;

export function Component({ useActor, useAction, useEvent }: Kit): string {
  const room = useActor({ name: "room", key: "a", params: { token: "t" }, createWithInput: { topic: "x" } });
  room.useEvent("moved", (x, y) => x + y);
  useEvent(room, "message", (text) => text.length);
  // @ts-expect-error: no such event
  room.useEvent("missing", () => {});
  const say = useAction(room, "say");
  void say.run("text");
  // @ts-expect-error: a text is sent
  void say.run(1);
  // @ts-expect-error: no such action
  useAction(room, "said");
  void useAction(room, "admin.kick").run("Ada");
  void room.connection?.admin.kick("Ada");
  // @ts-expect-error: no such actor
  useActor({ name: "rom", key: "a" });
  // @ts-expect-error: no such parameter
  useActor({ name: "room", key: "a", params: { tokn: "t" } });
  return say.data ?? "";
}
