import type { Activation } from "./activation.ts";

/** Why an actor is awake, in words. */
export function awakeReasons({ work, descriptor }: Activation): string[] {
  const reasons = work.reasons();
  if (descriptor.options.noSleep) reasons.push("option noSleep");
  return reasons;
}
