import { limits } from "@troupe/protocol";
import { stateErrors } from "../errors.ts";

/** Checks how many top-level properties a state has, whoever runs the actor's code. Throws `state.too_many_properties`. */
export function checkPropertyCount(count: number): void {
  if (count > limits.stateProperties) throw stateErrors.tooManyProperties(limits.stateProperties);
}
