/** A process that asks a helper of its own for a statement that doesn't end, and says which process that is. */

import { writeFileSync } from "node:fs";
import { nodeEnv } from "../../src/node/env.ts";
import { makeTemplate } from "../../src/node/sqlite/own/own-database-file.ts";
import { spawnHelper } from "../../src/node/sqlite/sql-process/helper-child.ts";
import { HelperProcess } from "../../src/node/sqlite/sql-process/helper-process.ts";
import { helperProcesses } from "./helper-processes.ts";

const [, , directory] = process.argv;
const spare = `${directory}/spare`;
writeFileSync(spare, makeTemplate(`${directory}/template`));
const helper = new HelperProcess(nodeEnv({ logLevel: "silent" }), spawnHelper);
const path = `${directory}/file.db`;
await helper.ask({ kind: "open", path, spare, durability: "commit" }, 60_000);
const sql = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n";
void helper.ask({ kind: "execute", sql, params: [], mayWrite: false }, 600_000);
// Sent, and begun when the answer to what is asked before it was there.
setImmediate(() => process.stdout.write(`${helperProcesses().join()}\n`));
