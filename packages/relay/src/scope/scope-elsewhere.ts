/** A scope of a process that has a relay, as one without it knows it: a parent for what is said of it there. */
import { checkPropagation, type PropagationContext } from "./propagation.ts";
import { Scope, type ScopeParts } from "./scope.ts";

/** Nobody's: no relay takes it for its own. Throws `relay.propagation_malformed`. */
export function scopeElsewhere(context: PropagationContext): Scope {
  const { parentUuid, rootUuid } = checkPropagation(context);
  return standIn("remote", { owner: nobody, uuid: parentUuid, rootUuid });
}

const nobody = {};
const noAttributes: readonly [] = [];

/** A scope that no event of this process is about. */
export function standIn(name: string, parts: Pick<ScopeParts, "owner" | "uuid" | "rootUuid">): Scope {
  return new Scope({
    owner: parts.owner,
    uuid: parts.uuid,
    rootUuid: parts.rootUuid,
    name,
    scopeType: "agent",
    attributes: noAttributes,
    parent: undefined,
    top: true,
    data: null,
    metadata: null,
    categoryProfile: null,
  });
}
