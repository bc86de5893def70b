import type { Activation } from "./activation.ts";

/** Settles when all that was written so far is durable, here or wherever the store is; nothing waits for it. */
export async function durable({ gate, store }: Pick<Activation, "gate" | "store">): Promise<void> {
  await gate.barrier();
  await store.durable?.();
}

/** As `durable`, with what the rest of this turn writes: how something ended is written behind its end. */
export async function turnDurable(activation: Pick<Activation, "env" | "gate" | "store">): Promise<void> {
  await new Promise<void>((resolve) => activation.env.afterTurn(resolve));
  await durable(activation);
}
