/**
 * A process on a data directory, for tests that kill it. `node … local-store-child.ts <dir> <mode>`:
 * `hold` opens and prints "open"; `write` also commits a counter for ever and prints each number once it is durable.
 */
import { Writer } from "../../../../conformance/storage/writer.ts";
import { openLocalStore } from "../../src/node/sqlite/open-local-store.ts";
import { testEnv } from "./test-env.ts";

const [, , dataDir = "", mode = "hold"] = process.argv;
const address = { namespace: "default", name: "counter", key: ["one"] };

const store = await openLocalStore({
  env: testEnv(),
  dataDir,
  durability: mode === "interval" ? "interval" : "commit",
  onFatal: () => process.exit(70),
});
process.stdout.write("open\n");
if (mode === "hold") setInterval(() => {}, 60_000);
else {
  const record = (await store.directory.find(address)) ?? (await store.directory.create(address)).record;
  const { generation } = await store.directory.claim(record.id);
  const writer = new Writer(await store.storage.open(record, generation));
  await writer.store.load();
  for (let count = 1; ; count += 1) {
    const { durable } = await writer.put({ count: `${count}`, twin: `${count}` });
    if (durable) process.stdout.write(`${count}\n`);
  }
}
