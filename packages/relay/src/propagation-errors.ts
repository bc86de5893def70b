/** The error of a context from elsewhere. Apart from the others (`errors.ts`), as a host on the edge has nothing else of the relay. */
import { TroupeError } from "@troupe/base";

/** `relay.propagation_malformed`. */
export function propagationMalformed(reason: string, cause?: unknown): TroupeError {
  const message = `Not a propagation context: ${reason}`;
  return new TroupeError("relay", "propagation_malformed", message, { metadata: { reason }, cause });
}
