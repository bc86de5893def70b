/**
 * The mill: takes notes, each in one turn, and does jobs, each over several; both at the same time.
 */
import { type ActorContext, queue } from "@troupe/runtime";
import { markOf } from "../checkers/tokens.ts";
import { type Marked, write } from "./ledger-state.ts";
import type { Stage } from "./stage.ts";

/** Messages are the tokens of those who send them. No fault of a world's is allowed to make a job a dead letter. */
export const millQueues = {
  notes: queue<string>(),
  nothing: queue<never>(),
  jobs: queue<string, string>({ maxAttempts: 1_000, retryDelay: 30 }),
};

type Mill = Pick<ActorContext, "queue"> & Marked;

/** The mill's `run`. */
export async function grind(stage: Stage, c: Mill): Promise<void> {
  await Promise.all([takeNotes(stage, c), doJobs(stage, c)]);
}

/** Sometimes it pauses between two notes, and those that come meanwhile wait on disk. */
async function takeNotes(stage: Stage, c: Mill): Promise<void> {
  for (;;) {
    const note = await c.queue.next({ names: ["notes"] });
    const token = String(note?.body);
    stage.world.counters.add("a note was taken");
    write(c, markOf(token, "note"));
    // Asking is the end of the last one, whatever is asked for.
    await c.queue.tryNext({ names: ["nothing"] });
    if (/[27]$/.test(token)) await stage.sleep(30);
  }
}

async function doJobs(stage: Stage, c: Mill): Promise<void> {
  for await (const job of c.queue.iter({ names: ["jobs"], completable: true })) {
    const token = String(job.body);
    stage.world.counters.add("a job was done");
    write(c, markOf(token, "job"));
    await stage.sleep(5);
    // Some fail at first.
    if (job.attempts === 1 && token.endsWith("3")) await job.retry();
    else await job.complete(markOf(token, "job"));
  }
}
