/**
 * What the types of a definition find before anything runs, checked by `tsc`: each `@ts-expect-error` is an error that a user
 * must get, and what stands without one must compile.
 */
import { type ActorContextOf, actor, type Database, db, setup } from "@troupe/runtime";
import { z } from "zod";

function migrate(database: Database): Promise<unknown> {
  return database.execute("CREATE TABLE IF NOT EXISTS notes (text TEXT)");
}

export const plain = actor({
  state: { count: 0 },
  // @ts-expect-error no database
  createVars: (c) => c.db.batch([]),
  // @ts-expect-error no database
  onWake: (c) => void c.db.execute("SELECT 1"),
  // @ts-expect-error no database
  onBeforeConnect: (c) => void c.db.execute("SELECT 1"),
  actions: {
    add: (c, by: number) => (c.state.count += by),
    // @ts-expect-error no database
    rows: (c) => c.db.execute("SELECT 1"),
    // @ts-expect-error no database
    inTransaction: (c) => c.db.transaction(() => 1),
  },
});

export const notes = actor({
  createState: async (c) => ({ rows: (await c.db.execute("SELECT 1")).length }),
  db: db(),
  onMigrate: (c) => void migrate(c.db),
  actions: { all: (c) => c.db.execute<{ text: string }>("SELECT text FROM notes") },
});

/** A helper for one definition's actors. */
export async function lengths(c: ActorContextOf<typeof notes>): Promise<number> {
  return (await c.db.execute("SELECT text FROM notes")).length;
}

export const guarded = actor({
  state: { text: "" },
  createConnState: (_c, params: { role: string }) => ({ role: params.role }),
  canCall: {
    write: (c, action) => c.conn.state.role === "editor" && action === "write",
    admin: { clear: "internal" },
    "admin.open": () => true,
  },
  actions: {
    write: (c, text: string) => (c.state.text = text),
    admin: { clear: () => 1, open: () => 2 },
  },
});

export const misspelt = actor({
  // @ts-expect-error no such action
  canCall: { wriet: "internal" },
  actions: { write: () => 1 },
});

export const behind = actor({
  actions: { write: () => 1, admin: { open: () => 1 } },
  // @ts-expect-error no such group
  canCall: { write: "internal", "adnim.open": "internal" },
});

const takes = {
  total: (_c: unknown, n: number) => n,
  due: (_c: unknown, at: Date, zone?: string) => [at, zone],
  admin: { rename: (_c: unknown, title: string) => title },
};
export const checked = actor({
  createState: (_c, input: { n: number }) => ({ n: input.n }),
  actions: { ...takes, add: (c, n: number) => (c.state.n += n) },
  actionInputSchemas: {
    add: z.tuple([z.number()]),
    total: z.array(z.number()),
    due: z.tuple([z.coerce.date()]).rest(z.string()),
    admin: { rename: z.tuple([z.string()]) },
  },
});
export const dotted = actor({
  actions: takes,
  actionInputSchemas: { "admin.rename": z.tuple([z.string()]) },
});
export const misfit = [
  // @ts-expect-error the action takes a number
  actor({ actions: takes, actionInputSchemas: { total: z.tuple([z.string()]) } }),
  // @ts-expect-error it makes a text of a text
  actor({ actions: takes, actionInputSchemas: { due: z.tuple([z.string()]) } }),
  // @ts-expect-error of a group
  actor({ actions: takes, actionInputSchemas: { admin: { rename: z.tuple([z.number()]) } } }),
  // @ts-expect-error by a dotted name
  actor({ actions: takes, actionInputSchemas: { "admin.rename": z.tuple([z.number()]) } }),
];

// @ts-expect-error a function can't be kept
export const kept = actor({ state: { n: 1, f: () => 1 }, actions: { n: (c) => c.state.n } });

export const made = actor({
  // @ts-expect-error a function can't be kept
  createState: async () => ({ n: 1, f: () => 1 }),
});

interface Item {
  readonly when: Date;
  readonly tags: Set<string>;
  readonly parent?: Item | undefined;
}

/** What can be kept compiles, whatever it is. */
export const registry = setup({
  use: {
    listed: actor({ state: [] as Item[] }),
    items: actor({ state: { items: new Map<string, Item>(), bytes: new Uint8Array(1) } }),
    unknown: actor({ state: JSON.parse("{}") as unknown }),
    one: actor({ state: "idle" as "idle" | "busy", actions: { is: (c) => c.state } }),
    none: actor({ state: null }),
    made: actor({
      createState: (_c, input: { n?: number }): { n: number; item?: Item } => ({ n: input.n ?? 0 }),
    }),
    loose: actor({ state: JSON.parse("{}") }),
  },
});
