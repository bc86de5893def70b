import { BusyPoll } from "@troupe/base";

/** A busy poll that has learnt on a story's clock that polling pays, and goes on on this process's loop. */
export class TrainedPoll {
  now = 0;
  readonly pollMs = 0.25;
  readonly poll = new BusyPoll({
    clock: { monotonic: () => this.now },
    afterTurn: (task) => void setImmediate(task),
    pollMs: this.pollMs,
    lookMs: 0.05,
  });

  constructor() {
    for (let n = 0; n < 24; n += 1) {
      this.poll.expect();
      this.now += this.poll.polls ? 0.02 : 0.08;
      this.poll.arrived();
    }
  }
}
