import type { Output } from "../../ports/output.ts";
import type { Activation } from "./activation.ts";

/** Sends an answer. Never throws: what goes wrong on the way out (a socket that breaks) must not keep a call from ending. */
export function say(activation: Activation, output: Output): void {
  try {
    activation.emit(output);
  } catch (cause) {
    activation.log.error("an answer could not be sent", { cause });
  }
}

/** The same, and the call is over: it is no work of the actor's any more. */
export function answer(activation: Activation, output: Output): void {
  say(activation, output);
  activation.work.end("action");
}
