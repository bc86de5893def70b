/** Which clients of a carried actor may stay while it sleeps, and who stores what must be known of them. */
import { decodePayload, type PayloadEncoding, Space, type Write } from "@troupe/protocol/actor/v1";
import type { CarriedDeclaration } from "../../ports/carried.ts";
import type { InstanceOpen } from "../../ports/instance.ts";

/** What must be known of them is stored by the runtime, as the code's queues and schedules are. */
export function keepsClients({ kept, hibernation }: CarriedDeclaration): boolean {
  return kept === true && hibernation === true;
}

/** The code can leave clients to its next activation, and the host keeps them. */
export function mayStay(of: {
  readonly declaration: CarriedDeclaration;
  readonly request: InstanceOpen;
}): boolean {
  const { declaration, request } = of;
  if (declaration.hibernation !== true || request.host.hibernation === undefined) return false;
  return declaration.connections || keepsClients(declaration);
}

/** What the code has written of its clients' states, by their ids, and the rest of it. Throws `value.*`. */
export function splitWrite(
  write: Write,
  encoding: PayloadEncoding,
): { readonly states: ReadonlyMap<string, unknown>; readonly rest: Write } {
  const states = new Map<string, unknown>();
  for (const { space, key, value } of write.rows)
    if (space === Space.CONNECTION)
      states.set(key, value.byteLength === 0 ? undefined : decodePayload(value, encoding));
  if (states.size === 0) return { states, rest: write };
  return { states, rest: { ...write, rows: write.rows.filter(({ space }) => space !== Space.CONNECTION) } };
}
