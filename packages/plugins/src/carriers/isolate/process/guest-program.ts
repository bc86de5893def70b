/**
 * The guest's program. Its core is run once for all isolates of the process: each begins as a copy of the heap that it left, in a
 * part of the time and the memory of running it again. Its other parts are run where they are used (`guest/parts.ts`). What differs from isolate to isolate (its clock, its mailbox) is given to
 * it afterwards, by `prepare`.
 *
 * An actor is started and called once in a realm that is thrown away: what that compiled is in the copies as well. Its own
 * data isn't.
 */
import { readFileSync } from "node:fs";
import { type HostFrame, HostFrameCodec } from "@troupe/protocol/plugin/v1";
import ivm from "isolated-vm";
import { RecordList } from "../records.ts";
import { firstCall } from "./first-call.ts";

const file = new URL("../../../../dist/isolate-guest.json", import.meta.url);

/** The guest's program. */
interface GuestProgram {
  /** A heap with `troupeIsolate` in it. */
  readonly snapshot: ivm.ExternalCopy<ArrayBuffer>;
  /** Scripts of its parts by their names: memory that all isolates share. */
  readonly parts: ReadonlyMap<string, ivm.ExternalCopy<string>>;
}

let program: GuestProgram | undefined;

/** Made when it is asked for first. */
export function guestProgram(): GuestProgram {
  program ??= read();
  return program;
}

function read(): GuestProgram {
  const { core, parts }: { core: string; parts: Record<string, string> } = JSON.parse(
    readFileSync(file, "utf8"),
  );
  return {
    snapshot: ivm.Isolate.createSnapshot([{ code: core, filename: "troupe:guest" }], warmUp()),
    parts: new Map(Object.entries(parts).map(([name, text]) => [name, new ivm.ExternalCopy(text)])),
  };
}

/** The life of a small actor, as a script. */
function warmUp(): string {
  const turns = JSON.stringify(firstCall({ name: "warm", args: [1] }).map((frame) => [...recordsOf(frame)]));
  return `(async () => {
    const { prepare, load, enter, endTurn, module } = troupeIsolate;
    // There is no shared memory yet where snapshots are made, and \`prepare\` empties the mailbox's prototype.
    const byteLength = ${16 * 1024};
    prepare((bytes) => new Uint8Array(bytes), Object.setPrototypeOf(new ArrayBuffer(byteLength), { byteLength }));
    const act = (c, by) => (c.state.count += by);
    load({ default: module.actor({ state: { count: 0 }, actions: { act } }) }, "warm", "");
    for (const turn of ${turns}) {
      enter(new Uint8Array(turn).buffer);
      for (let microtask = 0; microtask < 50; microtask += 1) await undefined;
      endTurn();
    }
  })();`;
}

function recordsOf(frame: HostFrame): Uint8Array {
  const records = new RecordList();
  records.frame(HostFrameCodec.encode(frame));
  return records.take();
}
