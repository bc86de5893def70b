/**
 * A text that several people edit at once: the actor puts their edits in an order, and tells everybody. An edit means the
 * same wherever it comes in that order (`text.ts`), so nobody waits for anybody.
 */
import { actor, event, setup, UserError } from "troupe";
import { db } from "troupe/db";
import { type Edit, Text } from "./text.ts";

/** An edit in its place. */
export interface Placed {
  /** 1, 2, 3, … */
  readonly version: number;
  readonly edit: Edit;
}

interface Row {
  readonly version: number;
  readonly edit: string;
}

const LONGEST = 10_000;

export const document = actor({
  db: db({
    onMigrate: async (db) => {
      await db.execute("CREATE TABLE IF NOT EXISTS edits (version INTEGER PRIMARY KEY, edit TEXT NOT NULL)");
    },
  }),
  createVars: async (c) => {
    const rows = await c.db.execute<Row>("SELECT * FROM edits ORDER BY version");
    return { version: rows.length, text: new Text(rows.map((row) => placed(row).edit)) };
  },

  // Who loses the connection for a while is told what happened since, once and in order.
  events: { edited: event<Placed>({ retain: 1_000 }) },

  actions: {
    text: (c): string => String(c.vars.text),

    since: async (c, version: number): Promise<Placed[]> => {
      const rows = await c.db.execute<Row>("SELECT * FROM edits WHERE version > ? ORDER BY version", version);
      return rows.map(placed);
    },

    /** One turn from the check to the event: nobody's edit gets in between. */
    edit: async (c, edit: Edit): Promise<void> => {
      if (!c.vars.text.knows(edit))
        throw new UserError("There are no such letters", { code: "unknown_letters" });
      if (edit.insert.length > LONGEST) throw new UserError("That is too much at once", { code: "too_long" });
      const version = c.vars.version + 1;
      const stored = c.db.execute("INSERT INTO edits VALUES (?, ?)", version, JSON.stringify(edit));
      c.vars.version = version;
      c.vars.text.apply(edit);
      c.broadcast("edited", { version, edit });
      await stored;
    },
  },
});

function placed({ version, edit }: Row): Placed {
  return { version, edit: JSON.parse(edit) };
}

export const registry = setup({ use: { document } });
