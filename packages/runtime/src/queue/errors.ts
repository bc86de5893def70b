import { error } from "../new-error.ts";

/** Errors of queues. Codes that RivetKit has are RivetKit's. */
export const queueErrors = {
  notFound: (actor: string, name: string) =>
    error(404, "queue", "not_found", `Actor "${actor}" has no queue "${name}"`, { metadata: { name } }),
  invalidName: () =>
    error(400, "queue", "invalid_name", "A queue's name must have 1 to 256 whole characters"),
  invalidOption: (option: string, expected: string) =>
    error(400, "queue", "invalid_option", `${option} must be ${expected}`, { metadata: { option } }),
  full: (limit: number) =>
    error(429, "queue", "full", `The actor's queues hold ${limit} messages; send it again later`, {
      metadata: { limit },
    }),
  messageTooLarge: (bytes: number, limit: number) =>
    error(
      413,
      "queue",
      "message_too_large",
      `The message has ${bytes} bytes encoded; the limit is ${limit}`,
      {
        metadata: { bytes, limit },
      },
    ),
  invalidPayload: (name: string, issues: readonly unknown[]) =>
    error(400, "queue", "invalid_payload", `This is no message for queue "${name}"`, {
      metadata: { name, issues },
    }),
  invalidReply: (name: string, issues: readonly unknown[]) =>
    error(400, "queue", "invalid_completion_payload", `This is no reply to a message of queue "${name}"`, {
      metadata: { name, issues },
    }),
  alreadyCompleted: (id: number) =>
    error(409, "queue", "already_completed", `Message ${id} is completed, or given up`, { metadata: { id } }),
  deliveryOver: (id: number) =>
    error(
      409,
      "queue",
      "delivery_over",
      `This delivery of message ${id} is over, by its time or a retry: the message is delivered again`,
      { metadata: { id } },
    ),
  previousNotCompleted: (id: number) =>
    error(
      400,
      "queue",
      "previous_message_not_completed",
      "The last message isn't completed: call complete() or retry() on it before you take the next",
      { metadata: { id } },
    ),
  timedOut: (name: string | undefined, timeoutMs: number) =>
    error(408, "queue", "timed_out", `Nothing came in ${timeoutMs} ms`, {
      metadata: name === undefined ? { timeoutMs } : { name, timeoutMs },
    }),
  deadLettered: (name: string, attempts: number) =>
    error(
      500,
      "queue",
      "dead_lettered",
      `The message for "${name}" was given up after ${attempts} deliveries`,
      {
        metadata: { name, attempts },
      },
    ),
  forbidden: (name: string) =>
    error(403, "auth", "forbidden", `You may not send to queue "${name}"`, { metadata: { name } }),
  badRow: (key: string) =>
    error(500, "queue", "message_invalid", "A stored message can't be read", { metadata: { key } }),
  aborted: () => error(400, "actor", "aborted", "The wait was ended: by its signal, or with the actor"),
};
