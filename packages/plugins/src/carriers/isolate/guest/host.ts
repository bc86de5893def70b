/** An isolate's ways to the outside. */
import { TroupeError } from "@troupe/base";
import { SaidRecords } from "../mailbox.ts";

/** What the isolate says. */
export const out = new SaidRecords();

/** What an isolate has of the outside. */
export interface IsolateHost {
  /** The one function that isn't its own. */
  randomBytes: (length: number) => Uint8Array;
  /** What a request of the actor's to the network waits for. */
  departure: () => Promise<void> | undefined;
}

const notReady = (): never => {
  throw new TroupeError(
    "actor",
    "not_started",
    "The actor hasn't started: this is for its hooks and actions",
  );
};

/** Filled in as it becomes one actor's. */
export const host: IsolateHost = { randomBytes: notReady, departure: notReady };
