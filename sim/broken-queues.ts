/** Canaries of queues: what breaks the way of a message into the batch of its turn. */
import { Activation } from "../packages/runtime/src/actor/local/activation.ts";
import { type Batch, QUEUE_PREFIX, type RowChange } from "../packages/runtime/src/ports/storage.ts";
import { LEDGER_ROW } from "../packages/runtime/src/queue/queue-key.ts";
import { QueueRows } from "../packages/runtime/src/queue/rows.ts";

/** What a turn puts into a queue is told, and isn't stored. */
export function loseMessages(): () => void {
  const { take } = QueueRows.prototype;
  QueueRows.prototype.take = function lose(this: QueueRows, into: RowChange[]): void {
    const rows: RowChange[] = [];
    take.call(this, rows);
    into.push(...rows.filter(({ key, value }) => value === null || !key.startsWith(`${QUEUE_PREFIX}m:`)));
  };
  return () => {
    QueueRows.prototype.take = take;
  };
}

/** What a turn did with its queues is stored with the next turn. */
export function delayMessages(): () => void {
  const { take } = Activation.prototype;
  const late = new WeakMap<Activation, RowChange[]>();
  Activation.prototype.take = function delay(this: Activation): Batch {
    const { rows, ...batch } = take.call(this);
    const ofQueues = ({ key }: RowChange): boolean => key.startsWith(QUEUE_PREFIX) || key === LEDGER_ROW;
    const before = late.get(this) ?? [];
    const now = rows.filter(ofQueues);
    late.set(this, now);
    if (now.length > 0) this.gate.mark();
    const fresh = new Set(now.map(({ key }) => key));
    return {
      ...batch,
      rows: [...before.filter(({ key }) => !fresh.has(key)), ...rows.filter((row) => !ofQueues(row))],
    };
  };
  return () => {
    Activation.prototype.take = take;
  };
}
