/** How a message for a queue travels in actor/v1: nothing and zero stand for what isn't said. */
import type { SendOptions } from "@troupe/protocol";
import type { CarriedSend } from "@troupe/protocol/actor/v1";

const LONGEST_MS = 0xffff_fffe;

/** As it travels. */
export function carriedSend(send: SendOptions): CarriedSend {
  const { wait = false, timeoutMs = LONGEST_MS + 1, ticket = "" } = send;
  // 0 is no limit: who waits for no time at all waits for the shortest.
  const wireMs = timeoutMs > LONGEST_MS ? 0 : Math.max(1, Math.ceil(timeoutMs));
  return { wait, timeoutMs: wireMs, ticket };
}

/** As it arrives. */
export function sendOptions({ wait, timeoutMs, ticket }: CarriedSend): SendOptions {
  return { wait, ...(timeoutMs === 0 ? {} : { timeoutMs }), ...(ticket === "" ? {} : { ticket }) };
}
