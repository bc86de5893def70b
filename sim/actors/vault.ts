/**
 * The vault: a ledger with a database. Its table `entries` is filled by statements of their own, by transactions that take
 * several turns, and by ones that fail; many of them at the same time, so that they contend for the write slot.
 *
 * A transaction's entries are `row1` and `row2`: they stand next to each other or are both not there. What is to be undone
 * is `rowx`: nobody ever sees it. The mark of an operation is written to the log by whoever has its entries.
 */
import { TroupeError } from "@troupe/base";
import { type ActorContext, db } from "@troupe/runtime";
import { migrateTranscript } from "../../packages/agent-os/src/sessions/transcript.ts";
import { markOf } from "../checkers/tokens.ts";
import { type LedgerState, write } from "./ledger-state.ts";
import type { Stage } from "./stage.ts";

/** The vault's database. */
export const vaultDatabase = db({
  onMigrate: async (database) => {
    await database.execute(
      "CREATE TABLE IF NOT EXISTS entries (place INTEGER PRIMARY KEY, mark TEXT NOT NULL)",
    );
    await migrateTranscript(database);
  },
});

/** What users do with a vault, beside what they do with any ledger. */
export const vaultDoings = ["deposit", "move", "regret", "hasty", "manual", "unfinished", "browse"] as const;

/** One of them. */
export type VaultDoing = (typeof vaultDoings)[number];

type Db = Pick<ActorContext["db"], "execute">;
type Vault = Pick<ActorContext, "actorId" | "db" | "kv" | "saveState"> & {
  readonly state: LedgerState;
  broadcast(event: "tick", seq: number, mark: string): void;
};

/** A transaction of a user's: its token, and how long it pauses between its statements. */
interface Order {
  readonly token: string;
  readonly pauseMs: number;
}

/** The vault's actions. */
export function vaultActions(stage: Stage) {
  const position = (c: Vault) => ({ id: c.actorId, at: c.state.log.length });
  return {
    deposit: async (c: Vault, token: string) => {
      await enter(c.db, markOf(token, "row"));
      write(c, markOf(token, "dep"));
      return position(c);
    },
    move: async (c: Vault, token: string, pauseMs: number) => {
      await c.db.transaction((tx) => move(stage, c, tx, { token, pauseMs }));
      stage.world.counters.add("a transaction was released");
      return position(c);
    },
    /** What other ledgers' does, with an entry. */
    once: async (c: Vault, token: string, pauseMs: number) => {
      await c.db.transaction((tx) => enter(tx, markOf(token, pauseMs > 0 ? "part" : "key")));
      if (pauseMs > 0) await stage.sleep(pauseMs);
      write(c, markOf(token));
      return position(c);
    },
    /** Undoes its entries by failing; what it wrote to the state stays. */
    regret: async (c: Vault, token: string, pauseMs: number) => {
      await c.db
        .transaction(async (tx) => {
          await enter(tx, markOf(token, "rowx"));
          await stage.sleep(pauseMs);
          await enter(tx, markOf(token, "rowx"));
          throw new RangeError("regretted");
        })
        .catch(expect("RangeError"));
      stage.world.counters.add("a transaction was undone");
      write(c, markOf(token, "reg"));
      return position(c);
    },
    /** Has less time than it may need. */
    hasty: async (c: Vault, token: string, pauseMs: number) => {
      try {
        await c.db.transaction((tx) => both(stage, tx, { token, pauseMs }), { timeout: 20 });
      } catch (error) {
        if (codeOf(error) === "sql.transaction_timed_out")
          stage.world.counters.add("a transaction's time was over");
        throw error;
      }
      write(c, markOf(token, "has"));
      return position(c);
    },
    /** The same by statements of one's own. */
    manual: async (c: Vault, token: string, pauseMs: number) => {
      await c.db.execute("BEGIN");
      await both(stage, c.db, { token, pauseMs });
      await c.db.execute("COMMIT");
      write(c, markOf(token, "man"));
      return position(c);
    },
    /** Nobody ends it: it is undone with its chain of calls. */
    unfinished: async (c: Vault, token: string, pauseMs: number) => {
      await c.db.execute("BEGIN");
      await enter(c.db, markOf(token, "rowx"));
      await stage.sleep(pauseMs);
      write(c, markOf(token, "unf"));
      return position(c);
    },
    browse: async (c: Vault) => {
      const found = await c.db.execute<{ mark: string }>("SELECT mark FROM entries ORDER BY place");
      return { id: c.actorId, entries: found.map(({ mark }) => mark) };
    },
  };
}

/** A transaction that says what it did while nothing of it is stored, and has a part inside that is undone. */
async function move(stage: Stage, c: Vault, tx: Vault["db"], order: Order): Promise<void> {
  const { token, pauseMs } = order;
  await enter(tx, markOf(token, "row1"));
  await c
    .saveState({ immediate: true })
    .then(
      () => stage.world.fail("sql", `${token} waited for what is durable, inside of its transaction`),
      expect("sql.output_in_transaction"),
    );
  await stage.sleep(pauseMs);
  await tx
    .transaction(async () => {
      // Joins the inner one, by the async context.
      await enter(c.db, markOf(token, "rowx"));
      throw new RangeError("the inner one is undone");
    })
    .catch(expect("RangeError"));
  await enter(c.db, markOf(token, "row2"));
  c.state.seq += 1;
  write(c, markOf(token, "mov"));
  c.broadcast("tick", c.state.seq, markOf(token, "mov"));
}

async function both(stage: Stage, tx: Db, { token, pauseMs }: Order): Promise<void> {
  await enter(tx, markOf(token, "row1"));
  await stage.sleep(pauseMs);
  await enter(tx, markOf(token, "row2"));
}

async function enter(tx: Db, mark: string): Promise<void> {
  await tx.execute("INSERT INTO entries (mark) VALUES (?)", mark);
}

/** Lets one error pass. */
function expect(what: string): (error: unknown) => void {
  return (error) => {
    if (codeOf(error) !== what) throw error;
  };
}

function codeOf(error: unknown): string {
  if (TroupeError.is(error)) return `${error.group}.${error.code}`;
  return error instanceof Error ? error.name : String(error);
}
