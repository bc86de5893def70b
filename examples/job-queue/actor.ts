/**
 * Delivers webhooks: each at least once, tried again with growing pauses, and put aside after the fifth failure. A job is
 * on disk when its sender is told so, and stays there until it has been done, however often the process dies.
 */
import { actor, event, queue, setup } from "troupe";

export interface Webhook {
  readonly url: string;
  readonly payload: unknown;
}

export interface Failure {
  readonly id: number;
  readonly url: string;
  readonly attempts: number;
}

const ANSWER_WITHIN_MS = 10_000;

export const webhooks = actor({
  state: { delivered: 0 },
  queues: { jobs: queue<Webhook, { status: number }>({ maxAttempts: 5, retryDelay: 100 }) },
  events: { tried: event<{ url: string; attempt: number; outcome: string }>() },

  run: async (c) => {
    for await (const job of c.queue.iter({ names: ["jobs"], completable: true })) {
      const { url, payload } = job.body;
      const tried = (outcome: string) => c.broadcast("tried", { url, attempt: job.attempts, outcome });
      try {
        const response = await fetch(url, {
          method: "POST",
          // A job may come twice; by this its receiver knows it again.
          headers: { "content-type": "application/json", "idempotency-key": `${c.actorId}-${job.id}` },
          body: JSON.stringify(payload),
          signal: AbortSignal.any([c.abortSignal, AbortSignal.timeout(ANSWER_WITHIN_MS)]),
        });
        if (!response.ok) throw new Error(`status ${response.status}`);
        c.state.delivered += 1;
        await job.complete({ status: response.status });
        tried("delivered");
      } catch (cause) {
        await job.retry();
        tried(cause instanceof Error ? cause.message : String(cause));
      }
    }
  },

  actions: {
    delivered: (c): number => c.state.delivered,
    failed: async (c): Promise<Failure[]> => {
      const letters = await c.queue.deadLetters.list();
      return letters.map(({ id, body, attempts }) => ({ id, url: (body as Webhook).url, attempts }));
    },
    /** For when the receiver has been mended. */
    tryAgain: (c, id: number): Promise<boolean> => c.queue.deadLetters.redrive(id),
  },
});

export const registry = setup({ use: { webhooks } });
