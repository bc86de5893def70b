/** The database of an actor that has a transcript's table, for a story of its own. */
import { actor, type Database, db, setup, setupTest, type TestScope } from "@troupe/runtime";
import { migrateTranscript } from "../../src/sessions/transcript.ts";

/** Runs a story inside an action of the actor; what it throws is thrown here. */
export async function withDatabase(
  t: TestScope,
  story: (database: Database) => Promise<void>,
): Promise<void> {
  let thrown: { readonly cause: unknown } | undefined;
  const keeper = actor({
    db: db({ onMigrate: migrateTranscript }),
    actions: {
      tell: async (c) => {
        // A client would only hear `internal.error`.
        await story(c.db).catch((cause: unknown) => (thrown = { cause }));
      },
    },
  });
  const { client } = await setupTest(t, setup({ use: { keeper } }));
  await client.keeper.getOrCreate(["a"]).tell();
  if (thrown !== undefined) throw thrown.cause;
}
