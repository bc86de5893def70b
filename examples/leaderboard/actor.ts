/** A leaderboard, one actor for each game: SQL does the ranking, and everybody sees the top change. */
import { actor, event, setup, UserError } from "troupe";
import { db } from "troupe/db";

export interface Entry {
  readonly rank: number;
  readonly player: string;
  readonly score: number;
}

const TOP = 3;

/** Who got there first is in front. */
const ranked = `
  SELECT row_number() OVER (ORDER BY score DESC, "when") AS rank, player, score FROM scores ORDER BY rank
`;

export const leaderboard = actor({
  db: db({
    onMigrate: async (db) => {
      await db.execute(`
        CREATE TABLE IF NOT EXISTS scores (player TEXT PRIMARY KEY, score INTEGER NOT NULL, "when" INTEGER NOT NULL);
        CREATE INDEX IF NOT EXISTS scores_by_score ON scores (score DESC, "when");
        CREATE TABLE IF NOT EXISTS champions (season INTEGER PRIMARY KEY, player TEXT NOT NULL, score INTEGER NOT NULL);
      `);
    },
  }),

  state: { season: 1, submitted: 0, top: [] as Entry[] },
  events: { top: event<Entry[]>() },

  onCreate: async (c) => {
    await c.cron.set({ name: "season", expression: "0 0 * * 1", action: "endSeason" });
  },

  actions: {
    /** A player's best counts. Answers with the player's rank. */
    submit: async (c, player: string, score: number): Promise<number> => {
      if (!Number.isInteger(score)) throw new UserError("A score is a whole number", { code: "bad_score" });
      c.state.submitted += 1;
      await c.db.execute(
        `INSERT INTO scores VALUES (?, ?, ?)
         ON CONFLICT (player) DO UPDATE SET score = excluded.score, "when" = excluded."when"
         WHERE excluded.score > score`,
        player,
        score,
        c.state.submitted,
      );
      const top = await c.db.execute<Entry>(`${ranked} LIMIT ?`, TOP);
      if (JSON.stringify(top) !== JSON.stringify(c.state.top)) {
        c.state.top = top;
        c.broadcast("top", top);
      }
      const [mine] = await c.db.execute<Entry>(`SELECT * FROM (${ranked}) WHERE player = ?`, player);
      return mine?.rank ?? 0;
    },

    top: (c): Entry[] => c.state.top,

    /** A player, and those just above and below. */
    around: async (c, player: string): Promise<Entry[]> => {
      const sql = `WITH ranked AS (${ranked})
        SELECT other.* FROM ranked AS other, ranked AS mine
        WHERE mine.player = ? AND abs(other.rank - mine.rank) <= 1 ORDER BY other.rank`;
      return await c.db.execute<Entry>(sql, player);
    },

    champions: (c) =>
      c.db.execute<{ season: number; player: string; score: number }>(
        "SELECT * FROM champions ORDER BY season",
      ),

    /** Each Monday. The champion and the empty board are stored together. */
    endSeason: async (c): Promise<void> => {
      const [best] = c.state.top;
      if (best !== undefined) {
        const { player, score } = best;
        await c.db.execute("INSERT INTO champions VALUES (?, ?, ?)", c.state.season, player, score);
      }
      await c.db.execute("DELETE FROM scores");
      c.state.season += 1;
      c.state.top = [];
      c.broadcast("top", []);
    },
  },
});

export const registry = setup({ use: { leaderboard } });
