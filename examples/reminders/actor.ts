/** Reminders that come, whatever happens to the process until then. One actor for each person. */
import { actor, event, type ScheduledFireInfo, setup } from "troupe";

export interface Reminder {
  readonly id: string;
  readonly text: string;
  /** Milliseconds since 1970. */
  readonly at: number;
}

export const reminders = actor({
  state: { unread: [] as string[], digests: 0 },

  // Whoever is away when a reminder comes gets it when the connection is back.
  events: { due: event<Reminder>({ retain: 100 }), digest: event<string[]>() },

  onCreate: async (c) => {
    await c.cron.set({
      name: "digest",
      expression: "0 8 * * *",
      timezone: "Europe/Berlin",
      action: "digest",
    });
  },

  // The clock's, and nobody else's.
  canCall: { fire: "internal", digest: "internal" },

  actions: {
    remind: (c, text: string, at: number): Promise<string> => c.schedule.at(at, "fire", text),
    forget: (c, id: string): Promise<boolean> => c.schedule.cancel(id),
    pending: async (c): Promise<Reminder[]> => {
      const calls = await c.schedule.list();
      return calls.map(({ id, args, runAt }) => ({ id, text: String(args[0]), at: runAt }));
    },
    unread: (c): string[] => c.state.unread,
    nextDigest: async (c): Promise<number | undefined> => (await c.cron.get("digest"))?.nextRunAt,

    fire: (c, text: string, { id, scheduledAt }: ScheduledFireInfo): void => {
      c.state.unread.push(text);
      c.broadcast("due", { id, text, at: scheduledAt });
    },
    /** Each morning: what came since the last one. */
    digest: (c): void => {
      c.broadcast("digest", c.state.unread);
      c.state.unread = [];
      c.state.digests += 1;
    },
  },
});

export const registry = setup({ use: { reminders } });
