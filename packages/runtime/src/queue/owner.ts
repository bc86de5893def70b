/** What queues need from the activation that they are of. */
import type { Env, Logger } from "@troupe/base";
import type { MessageWatch } from "./message-watch.ts";
import type { DeliveryPolicy } from "./policy.ts";
import type { RowsOwner } from "./rows.ts";

/** What the queues need from their activation. */
export interface QueuesOwner extends RowsOwner {
  readonly env: Pick<Env, "clock" | "timers">;
  readonly log: Logger;
  readonly maxMessages: number;
  /** Of one message or reply, encoded. */
  readonly maxBytes: number;
  policyOf(name: string): DeliveryPolicy;
  /** Follows messages, where somebody wants to know what becomes of them. */
  readonly watch?: MessageWatch | undefined;
}
