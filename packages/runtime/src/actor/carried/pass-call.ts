/** Gives calls to carried code: those from outside, and those that the host makes itself. */
import { encodeArgs, encodePayload, NO_PAYLOAD } from "@troupe/protocol/actor/v1";
import type { ActionCall } from "../../ports/instance.ts";
import type { CarriedActivation } from "./activation.ts";
import { keepsAwake } from "./calls.ts";
import { carriedSend } from "./send.ts";

/** A message of a queue that the host keeps, on its way to the code. */
export interface Delivery {
  readonly message: number;
  /** From 1. */
  readonly attempt: number;
}

/** Passes a call on; its end goes to `call.reply`. Never throws. */
export function passCall(activation: CarriedActivation, call: ActionCall, delivery?: Delivery): void {
  const { encoding } = activation;
  let args: Uint8Array;
  let params: Uint8Array;
  try {
    args = encodeArgs(call.args, encoding);
    params = call.params === undefined ? NO_PAYLOAD : encodePayload(call.params, encoding);
  } catch (cause) {
    activation.emit(call.reply.error(cause));
    return;
  }
  if (keepsAwake(call)) activation.work.begin("action");
  const number = activation.calls.begin(call);
  activation.say({
    $case: "call",
    value: {
      call: number,
      action: call.name,
      args,
      connection: activation.clients.numberOf(call.connection),
      params,
      timeoutMs: wireTimeout(activation.calls.leftMs(call)),
      send: call.send && carriedSend(call.send),
      idempotencyKey: call.idempotencyKey ?? "",
      ticket: call.ticket,
      caller: call.caller ?? "",
      chain: [...(call.chain ?? [])],
      depth: call.depth ?? 0,
      trace: call.trace ?? "",
      ...delivery,
    },
  });
  activation.calls.passed(number, call);
}

/** Milliseconds as they travel: 0 for no limit. */
export function wireTimeout(timeoutMs: number): number {
  return Math.min(Math.ceil(timeoutMs), 0xffff_ffff) % 0xffff_ffff;
}
