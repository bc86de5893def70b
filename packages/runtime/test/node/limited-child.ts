/** The process of `limited-server.ts`: tells its parent the port, and takes its own descriptors when it is told to. */
import { closeSync, openSync } from "node:fs";
import { actor, db, setup } from "@troupe/runtime";

const [, , dataDir = ""] = process.argv;

const notes = actor({
  db: db({ migrations: ["CREATE TABLE notes (text TEXT)"] }),
  actions: {
    add: async (c, bytes = 1) => {
      await c.db.execute("INSERT INTO notes VALUES (?)", "x".repeat(bytes));
      return await count(c.db);
    },
    count: async (c) => await count(c.db),
  },
});
const counter = actor({
  state: { n: 0, text: "" },
  actions: {
    add: (c, bytes = 0) => {
      c.state.text = "x".repeat(bytes);
      c.state.n += 1;
      return c.state.n;
    },
    count: (c) => c.state.n,
  },
});

async function count(database: { execute(sql: string): Promise<unknown[]> }): Promise<unknown> {
  const [row] = await database.execute("SELECT count(*) AS n FROM notes");
  return row;
}

const taken: number[] = [];
let taking: NodeJS.Timeout | undefined;

function takeFree(): void {
  try {
    for (;;) taken.push(openSync("/dev/null", "r"));
  } catch {
    // There are no more.
  }
}

/** Also what comes free later: of actors that are still on their way to sleep, and of files that are made ahead. */
function takeAll(): void {
  takeFree();
  taking = setInterval(takeFree, 1);
}

function giveBack(): void {
  clearInterval(taking);
  for (const fd of taken.splice(0)) closeSync(fd);
}

const { port } = await setup({ use: { notes, counter } }).start({ port: 0, dataDir, banner: false });
process.on("message", (what) => {
  if (what === "take all descriptors") takeAll();
  else giveBack();
  process.send?.("done");
});
process.send?.({ port });
