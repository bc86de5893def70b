/** Queues as people see them: messages that wait, those that wait to be delivered again first, and dead letters. */
import { decodeCbor } from "@troupe/protocol";
import type { InspectorSection } from "../ports/inspection.ts";
import { QUEUE_PREFIX } from "../ports/storage.ts";
import { QueueMessage } from "./message.ts";
import { DEAD, DELAYED, delayedUntil, endOf } from "./queue-key.ts";

/** Behind the last message: `d` and `m` are neighbours among the prefixes. */
const MESSAGES_END = endOf(`${QUEUE_PREFIX}m:`);

/** `GET …/queues`: messages; what they say is counted, not shown. `next` where there are more. */
export const queueSection: InspectorSection = {
  name: "queues",
  part: "queues",
  read: async (rows, { limit, after }) => {
    const start = after === undefined ? DELAYED : `${after}\0`;
    const found = await rows.list({ start, end: MESSAGES_END, limit: limit + 1, reverse: false });
    const messages = found.slice(0, limit).map(({ key, value }) => ({
      ...shown(QueueMessage.decode(key, value)),
      ...(key.startsWith(DELAYED) ? { againAt: delayedUntil(key) } : {}),
    }));
    const last = found.length > limit ? found[limit - 1] : undefined;
    return last === undefined ? { messages } : { messages, next: last.key };
  },
};

/** `GET …/dead-letters`: messages that were given up, the oldest first. */
export const deadLetterSection: InspectorSection = {
  name: "dead-letters",
  part: "queues",
  read: async (rows, { limit, after }) => {
    const start = after === undefined ? DEAD : `${after}\0`;
    const found = await rows.list({ start, end: endOf(DEAD), limit: limit + 1, reverse: false });
    const letters = found.slice(0, limit).flatMap(({ key, value }) => {
      const parts = decodeCbor(value);
      if (!Array.isArray(parts) || !(parts[0] instanceof Uint8Array)) return [];
      return [{ ...shown(QueueMessage.decode(key, parts[0])), diedAt: Number(parts[1]) }];
    });
    const last = found.length > limit ? found[limit - 1] : undefined;
    return last === undefined ? { letters } : { letters, next: last.key };
  },
};

function shown({ id, name, createdAt, attempts, body }: QueueMessage): object {
  return { id, queue: name, createdAt, attempts, bytes: body.byteLength };
}
