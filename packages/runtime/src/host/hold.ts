/**
 * The place of a sleeping actor, held by somebody who looks at its rows.
 *
 * Whoever reads them opens the actor's store, and that fences every other activation off: so none may begin meanwhile.
 * The held place looks like an actor that stops: its calls are held, and wake it when the reader is done. It is short, as
 * nothing of the actor's own code runs.
 */
import type { ActorRecord } from "../ports/directory.ts";
import { Slot } from "./slot.ts";
import type { Slots } from "./slots.ts";
import { pathOf } from "./target.ts";

/** Runs `work` in the actor's place. Nothing, without having run it, when it had to wait for the one who is there. */
export async function holdPlace<R>(
  slots: Slots,
  record: ActorRecord,
  work: () => Promise<R>,
): Promise<{ readonly value: R } | undefined> {
  const there = slots.get(record.id);
  if (there !== undefined) {
    if (there.state.tag === "loading") await there.state.ready.catch(() => {});
    if (there.state.tag === "stopping") await there.state.done;
    return undefined;
  }
  const { promise: done, resolve } = Promise.withResolvers<void>();
  const held = new Slot(record, pathOf(record), { tag: "stopping", done });
  slots.add(held);
  try {
    return { value: await work() };
  } finally {
    slots.forget(held);
    resolve();
  }
}
