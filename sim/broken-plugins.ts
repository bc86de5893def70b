/** How the canaries of plugins' actors break what stands between a plugin and its host. */
import { PluginSession } from "../packages/plugins/src/session/session.ts";
import { Calls } from "../packages/runtime/src/actor/carried/calls.ts";

/** An answer to a call that nobody waits for is taken for the answer of the oldest one that somebody does. */
export function misreadAnswers(): () => void {
  const { begin, reply } = Calls.prototype;
  const waiting = new WeakMap<Calls, Set<number>>();
  Calls.prototype.begin = function note(this: Calls, call): number {
    const number = begin.call(this, call);
    waiting.set(this, (waiting.get(this) ?? new Set()).add(number));
    return number;
  };
  Calls.prototype.reply = function misread(this: Calls, given): void {
    const numbers = waiting.get(this) ?? new Set();
    const [oldest = given.call] = numbers;
    const call = numbers.has(given.call) ? given.call : oldest;
    numbers.delete(call);
    reply.call(this, { ...given, call });
  };
  return () => {
    Object.assign(Calls.prototype, { begin, reply });
  };
}

/** Nobody hears that a plugin is gone. */
export function hushEnds(): () => void {
  const { lost } = PluginSession.prototype;
  PluginSession.prototype.lost = () => {};
  return () => {
    PluginSession.prototype.lost = lost;
  };
}

/** What was stored before the batch that failed is told to be as lost as that batch. */
export function forgetBatches(): () => void {
  const { begin } = Calls.prototype;
  Calls.prototype.begin = function forget(this: Calls, call): number {
    this.batches.stored = Number.NEGATIVE_INFINITY;
    return begin.call(this, call);
  };
  return () => {
    Calls.prototype.begin = begin;
  };
}
