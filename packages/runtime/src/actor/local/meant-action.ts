/** The action that somebody most likely meant who called one that isn't there. */
import { nearest } from "@troupe/base";
import type { ActionCall } from "../../ports/instance.ts";
import type { Activation } from "./activation.ts";

/** Comparing names takes time; nobody misspells a longer one. */
const LONGEST = 64;

/**
 * Nobody learns of an action whom it isn't for: one that has a rule is never named, and who calls without a connection is told of none
 * where hooks say who comes in, since they haven't been asked.
 */
export function meantAction(
  { descriptor: { actions }, behaviour: { callRules, plainConnections } }: Activation,
  { name, connection, caller }: ActionCall,
): string | undefined {
  const isIn = plainConnections || connection !== undefined || caller !== undefined;
  if (!isIn || name.length > LONGEST) return undefined;
  return nearest(
    name,
    actions.filter((one) => !callRules?.has(one)),
  );
}
