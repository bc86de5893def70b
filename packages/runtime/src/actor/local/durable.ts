import type { Activation } from "./activation.ts";

/** Settles when all that was written so far is durable, here or wherever the store is; nothing waits for it. */
export async function durable({ gate, store }: Pick<Activation, "gate" | "store">): Promise<void> {
  await gate.barrier();
  await store.durable?.();
}
