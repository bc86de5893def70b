/**
 * A runtime whose disk becomes full: writes files until one is refused, makes room, and says what it finds then. `node full-disk.ts <directory>`,
 * on a disk of 40 MiB.
 */
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { agentOS } from "@troupe/agent-os";
import { TroupeError } from "@troupe/base";
import { setup } from "@troupe/runtime";

const MIB = 1024 * 1024;
const disk = process.argv[2] ?? "";
const others = join(disk, "others");
writeFileSync(others, new Uint8Array(16 * MIB));
const registry = setup({ use: { workspace: agentOS() } });
await registry.start({ port: 0, dataDir: join(disk, "data"), signals: false, banner: false });
const handle = (await registry.client()).workspace.getOrCreate(["a"]);
const path = (n: number) => `/home/user/${n}`;
const content = (n: number) => new Uint8Array(2 * MIB).fill(n);

/** Undefined, or the error's code. */
async function refusal(work: Promise<unknown>): Promise<string | undefined> {
  const error = await work.then(() => undefined).catch((cause: unknown) => cause);
  if (error === undefined) return undefined;
  return TroupeError.is(error) ? `${error.group}.${error.code}` : String(error);
}

let told = 0;
let code: string | undefined;
while (told < 32) {
  code = await refusal(handle.writeFile(path(told), content(told)));
  if (code !== undefined) break;
  told += 1;
}
const meanwhile = await refusal(handle.exec("true"));
rmSync(others);
const { stdout: alive } = await handle.exec("echo alive");
let whole = 0;
for (let n = 0; n < told; n += 1)
  if (Buffer.compare(await handle.readFile(path(n)), content(n)) === 0) whole += 1;
const again = await refusal(handle.writeFile(path(told), content(told)));
console.log(JSON.stringify({ code, meanwhile, alive, told, whole, again }));
await registry.stop();
process.exit(0);
