/**
 * An isolate with all that is ours in it, and nothing yet of any source.
 *
 * It begins as a copy of a heap in which the guest's program has run (`guest-program.ts`). What that left for us is taken,
 * and the global that it left it in is deleted. The isolate has one function of ours, which gives random bytes; it
 * blocks the isolate alone.
 */
import { randomBytes } from "node:crypto";
import { limits } from "@troupe/protocol";
import ivm from "isolated-vm";
import { ProcessMailbox } from "../mailbox.ts";
import { guestProgram } from "./guest-program.ts";

/** An isolate that waits for its source. */
export interface PreparedIsolate {
  readonly isolate: ivm.Isolate;
  readonly context: ivm.Context;
  /** What a source may import, by its name. */
  readonly modules: ReadonlyMap<string, ivm.Module>;
  readonly mailbox: ProcessMailbox;
  readonly loadModule: ivm.Reference;
  readonly grantFiles: ivm.Reference;
  readonly enter: ivm.Reference;
  readonly endTurn: ivm.Reference;
}

/** What a source may import, and what it finds there. */
const MODULES: Readonly<Record<string, string>> = {
  troupe: "export const { actor, event, queue, TroupeError, UserError } = troupeIsolate.module;",
  "troupe/db": "export const { db } = troupeIsolate.module;",
  "troupe/workflow": "export const { CriticalError, Loop, RollbackError, workflow } = troupeIsolate.module;",
};

/** The one module of the platform's that there may be. */
const FILES_MODULE = "node:fs/promises";
const FILES_SOURCE = `
  const files = troupeFiles;
  export default files;
  export const { access, appendFile, lstat, mkdir, readdir, readFile, rename, rm, rmdir, stat, unlink, writeFile } = files;`;

/** At most so many random bytes at once, as the platform's getRandomValues gives. */
const RANDOM_BYTES_AT_ONCE = 65_536;

/** Makes one of so many MiB. Nothing is left of it when it can't be made. */
export async function prepareIsolate(memoryLimit: number): Promise<PreparedIsolate> {
  const isolate = new ivm.Isolate({
    memoryLimit,
    snapshot: guestProgram().snapshot,
    // The engine has lost its footing: whatever else it did in this process can't be trusted either.
    onCatastrophicError: () => process.abort(),
  });
  try {
    return await prepare(isolate);
  } catch (cause) {
    if (!isolate.isDisposed) isolate.dispose();
    throw cause;
  }
}

async function prepare(isolate: ivm.Isolate): Promise<PreparedIsolate> {
  const context = await isolate.createContext();
  const guest: ivm.Reference = await context.global.get("troupeIsolate", { reference: true });
  const [prepare, loadModule, grantFiles, enter, endTurn] = await Promise.all(
    ["prepare", "load", "grantFiles", "enter", "endTurn"].map((name) => guest.get(name, { reference: true })),
  );
  if (!prepare || !loadModule || !grantFiles || !enter || !endTurn)
    throw new RangeError("The guest's program is whole");
  const mailbox = new ProcessMailbox(limits.isolateMailboxBytes);
  const memory = new ivm.ExternalCopy(mailbox.memory).copyInto({ release: true });
  const parts = [...guestProgram().parts].flatMap(([name, text]) => [name, text.copyInto()]);
  await prepare.apply(undefined, [new ivm.Callback(random), memory, ...parts]);
  const modules = await Promise.all(
    Object.entries(MODULES).map((module) => compiled(isolate, context, module)),
  );
  await context.global.delete("troupeIsolate");
  return { isolate, context, modules: new Map(modules), mailbox, loadModule, grantFiles, enter, endTurn };
}

/** The module of granted folders, by its names: of an isolate that has them. */
export async function filesModule({
  isolate,
  context,
  grantFiles,
}: PreparedIsolate): Promise<ReadonlyMap<string, ivm.Module>> {
  await grantFiles.apply(undefined, []);
  const [name, module] = await compiled(isolate, context, [FILES_MODULE, FILES_SOURCE]);
  await context.global.delete("troupeFiles");
  return new Map([
    [name, module],
    ["fs/promises", module],
  ]);
}

/** One of our modules, by its name. */
async function compiled(
  isolate: ivm.Isolate,
  context: ivm.Context,
  [name, source]: readonly [string, string],
): Promise<readonly [string, ivm.Module]> {
  const module = await isolate.compileModule(source);
  await module.instantiate(context, () => {
    throw new RangeError("It imports nothing");
  });
  await module.evaluate();
  return [name, module];
}

function random(length: unknown): Uint8Array {
  const bytes = Math.trunc(Number(length));
  if (!(bytes >= 0 && bytes <= RANDOM_BYTES_AT_ONCE))
    throw new RangeError(`At most ${RANDOM_BYTES_AT_ONCE} bytes`);
  return new Uint8Array(randomBytes(bytes));
}
