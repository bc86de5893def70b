/** The state of an actor, from its rows: by top-level property, as it is saved. */
import { decodeCbor } from "@troupe/protocol";
import { CHUNKED_PREFIX, STATE_PREFIX } from "../actor/local/state-chunks.ts";
import type { InspectorSection } from "../ports/inspection.ts";
import type { RowChange } from "../ports/storage.ts";

/** What is shown of a value that is stored in chunks. */
export interface LeftOut {
  readonly leftOut: true;
  readonly bytes: number;
}

/** Behind the last property, and the last one that is in chunks. */
const STATE_END = "s;";
const CHUNKED_END = "c;";

/** `GET …/state`: properties to values; `next` where there are more. Those in chunks come with the first page. */
export const stateSection: InspectorSection = {
  name: "state",
  part: "state",
  read: async (rows, { limit, after }) => {
    const start = after === undefined ? STATE_PREFIX : `${STATE_PREFIX}${after}\0`;
    const found = await rows.list({ start, end: STATE_END, limit: limit + 1, reverse: false });
    const large =
      after === undefined
        ? await rows.list({ start: CHUNKED_PREFIX, end: CHUNKED_END, limit, reverse: false })
        : [];
    const { set } = stateChange([...found.slice(0, limit), ...large]);
    const last = found.length > limit ? found[limit - 1] : undefined;
    return last === undefined ? { state: set } : { state: set, next: last.key.slice(STATE_PREFIX.length) };
  },
};

/** What rows say of the state: properties with their values, and those that are gone. */
export function stateChange(rows: readonly RowChange[]): {
  readonly set: Record<string, unknown>;
  readonly removed: string[];
} {
  const set = new Map<string, unknown>();
  const gone = new Set<string>();
  for (const { key, value } of rows) {
    const chunked = key.startsWith(CHUNKED_PREFIX);
    if (!chunked && !key.startsWith(STATE_PREFIX)) continue;
    const property = key.slice(STATE_PREFIX.length);
    if (value === null) gone.add(property);
    else set.set(property, chunked ? leftOut(value) : decodeCbor(value));
  }
  // One that goes into chunks, or comes out of them, leaves its other row.
  return { set: Object.fromEntries(set), removed: [...gone].filter((property) => !set.has(property)) };
}

function leftOut(size: Uint8Array): LeftOut {
  return { leftOut: true, bytes: Number(decodeCbor(size)) };
}
