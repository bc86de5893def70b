/** Drizzle over an actor's database: its queries, the actor's transactions and migrations. */
import { actor } from "@troupe/runtime";
import { eq, relations } from "drizzle-orm";
import { expect, test } from "vitest";
import { db, integer, sqliteTable, text } from "../../src/drizzle/index.ts";
import { Ground } from "./ground.ts";

const users = sqliteTable("users", {
  id: integer("id").primaryKey({ autoIncrement: true }),
  name: text("name").notNull().unique(),
  admin: integer("admin", { mode: "boolean" }).notNull().default(false),
});
const posts = sqliteTable("posts", {
  id: integer("id").primaryKey(),
  author: integer("author")
    .notNull()
    .references(() => users.id),
  title: text("title").notNull(),
});
const userRelations = relations(users, ({ many }) => ({ posts: many(posts) }));
const postRelations = relations(posts, ({ one }) => ({
  author: one(users, { fields: [posts.author], references: [users.id] }),
}));
const schema = { users, posts, userRelations, postRelations };

const migrations = {
  journal: {
    entries: [
      { idx: 0, tag: "0000_users", when: 1, breakpoints: true },
      { idx: 1, tag: "0001_posts", when: 2, breakpoints: true },
    ],
  },
  migrations: {
    m0000:
      "CREATE TABLE `users` (`id` integer PRIMARY KEY AUTOINCREMENT, `name` text NOT NULL, `admin` integer DEFAULT false NOT NULL);\n--> statement-breakpoint\nCREATE UNIQUE INDEX `by_name` ON `users` (`name`);",
    m0001:
      "CREATE TABLE `posts` (`id` integer PRIMARY KEY, `author` integer NOT NULL REFERENCES `users`(`id`), `title` text NOT NULL);",
  },
};

const team = actor({
  state: { adds: 0 },
  db: db({ schema, migrations }),
  actions: {
    add: async (c, name: string, admin = false) => {
      c.state.adds += 1;
      const [made] = await c.db.insert(users).values({ name, admin }).returning();
      return made;
    },
    post: async (c, author: number, title: string) => {
      await c.db.insert(posts).values({ author, title });
    },
    names: async (c) => {
      const rows: { name: string; admin: boolean }[] = await c.db
        .select({ name: users.name, admin: users.admin })
        .from(users)
        .orderBy(users.id);
      return rows.map(({ name, admin }) => (admin ? `${name}!` : name));
    },
    /** Both tables have a column of the same name. */
    joined: (c) => c.db.select().from(posts).innerJoin(users, eq(posts.author, users.id)),
    withPosts: (c) => c.db.query.users.findMany({ with: { posts: { columns: { title: true } } } }),
    missing: async (c) => (await c.db.select().from(users).where(eq(users.id, 99)).get()) === undefined,
    raw: (c) => c.db.execute<{ n: number }>("SELECT count(*) AS n FROM users WHERE name <> ?", "nobody"),
    rename: (c, from: string, to: string, fail: boolean) =>
      c.db.transaction(async (tx) => {
        await tx.update(users).set({ name: to }).where(eq(users.name, from));
        await tx
          .transaction(async (inner) => {
            await inner.insert(users).values({ name: "inside" });
            throw new Error("no");
          })
          .catch(() => {});
        await tx.execute("INSERT INTO users (name) VALUES (?)", `${to} too`);
        if (fail) throw new Error("no");
      }),
    both: (c, first: string, second: string) =>
      c.db.batch([c.db.insert(users).values({ name: first }), c.db.insert(users).values({ name: second })]),
  },
});

const start = () => Ground.start({ team });

test("select, insert, joins and relations; what was written is there after a crash", async () => {
  await using ground = await start();
  const actor = () => ground.client.team.getOrCreate(["a"]);
  expect(await actor().add("Ada", true)).toEqual({ id: 1, name: "Ada", admin: true });
  await actor().add("Bob");
  await actor().post(1, "Notes");
  await actor().post(1, "More");
  await ground.kill();
  expect(await actor().names()).toEqual(["Ada!", "Bob"]);
  expect((await actor().joined())[0]).toEqual({
    posts: { id: 1, author: 1, title: "Notes" },
    users: { id: 1, name: "Ada", admin: true },
  });
  expect(await actor().withPosts()).toEqual([
    { id: 1, name: "Ada", admin: true, posts: [{ title: "Notes" }, { title: "More" }] },
    { id: 2, name: "Bob", admin: false, posts: [] },
  ]);
  expect(await actor().missing()).toBe(true);
  expect(await actor().raw()).toEqual([{ n: 2 }]);
});

test("its transactions are the actor's: kept, undone, one inside another, and a batch as a whole", async () => {
  await using ground = await start();
  const actor = ground.client.team.getOrCreate(["a"]);
  await actor.add("Ada");
  await expect(actor.rename("Ada", "Eve", true)).rejects.toThrow();
  expect(await actor.names()).toEqual(["Ada"]);
  await actor.rename("Ada", "Eve", false);
  expect(await actor.names()).toEqual(["Eve", "Eve too"]);
  await expect(actor.both("Zoe", "Eve")).rejects.toThrow();
  await actor.both("Joe", "Kim");
  expect(await actor.names()).toEqual(["Eve", "Eve too", "Joe", "Kim"]);
});

test("migrations of drizzle-kit go on where an actor was left, and are refused when they have changed", async () => {
  const first = { ...migrations, journal: { entries: migrations.journal.entries.slice(0, 1) } };
  const early = actor({
    db: db({ schema, migrations: first }),
    actions: { add: (c, name: string) => c.db.insert(users).values({ name }).returning() },
  });
  await using ground = await start();
  await ground.restart({ team: early });
  await ground.client.team.getOrCreate(["a"]).add("Ada");
  await ground.restart({ team });
  await ground.client.team.getOrCreate(["a"]).post(1, "Notes");
  expect(await ground.client.team.getOrCreate(["a"]).names()).toEqual(["Ada"]);
  await ground.restart({ team: early });
  await expect(ground.client.team.getOrCreate(["a"]).add("Eve")).rejects.toThrow();
  expect(() => db({ migrations: { journal: { entries: [{ idx: 3, tag: "x" }] }, migrations: {} } })).toThrow(
    /migrations/,
  );
});
