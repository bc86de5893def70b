/** What carried code asks about the queues and schedules that the host keeps for it. */
import {
  decodePayload,
  encodePayload,
  KeptAsk,
  type Kept as KeptQuestion,
  type PayloadEncoding,
} from "@troupe/protocol/actor/v1";
import { actorErrors } from "../../errors.ts";
import { queueErrors } from "../../queue/errors.ts";
import type { QueueMessage } from "../../queue/message.ts";
import { CronApi } from "../local/cron-api.ts";
import { ScheduleApi } from "../local/schedule-api.ts";
import { isQueueName } from "../queue-table.ts";
import type { CarriedActivation } from "./activation.ts";
import { Kept } from "./kept.ts";

type Asked = Readonly<Record<string, unknown>>;

/** The answer's value. Rejects with `queue.*`, `schedule.*`, `value.*`, `actor.not_carried`, `actor.aborted`. */
export async function keptAnswer(activation: CarriedActivation, question: KeptQuestion): Promise<Uint8Array> {
  const kept = Kept.of(activation);
  if (kept === undefined) throw actorErrors.notCarried("what the host keeps, without declaring it");
  const encoding: PayloadEncoding = activation.encoding === "raw" ? "json" : activation.encoding;
  const asked = recordOf(decodePayload(question.payload, encoding));
  const given = await answerOf(activation, kept, { ...question, asked });
  return given === undefined ? new Uint8Array(0) : encodePayload(given, encoding, "answer");
}

interface Question extends Omit<KeptQuestion, "payload"> {
  readonly asked: Asked;
}

function answerOf(activation: CarriedActivation, kept: Kept, question: Question): unknown {
  const { ask, asked } = question;
  switch (ask) {
    case KeptAsk.SEND:
      return kept.queues.send(queueIn(activation, asked), asked["body"], { exclusive: true }).id;
    case KeptAsk.RECEIVE:
      return receive(activation, kept, question);
    case KeptAsk.COMPLETE:
      return complete(activation, kept, asked);
    case KeptAsk.RETRY:
      return retry(kept, asked);
    default:
      return scheduleAnswer(activation, kept, question);
  }
}

function scheduleAnswer(
  { env, log, request, declaration }: CarriedActivation,
  kept: Kept,
  question: Question,
): unknown {
  const { schedules } = kept;
  const actions = new Set(declaration.actions);
  const owner = { schedules, env, log, record: request.record, behaviour: { actions } };
  const { ask, asked } = question;
  switch (ask) {
    case KeptAsk.SCHEDULE:
      return new ScheduleApi(owner).set({
        ...asked,
        action: textIn(asked, "action"),
        args: listIn(asked, "args"),
      });
    case KeptAsk.CANCEL:
      return schedules.cancel(textIn(asked, "id"));
    case KeptAsk.LIST:
      return new ScheduleApi(owner).list();
    case KeptAsk.SET_CRON:
      return setCron(new CronApi(owner), asked);
    case KeptAsk.DELETE_CRON:
      return schedules.deleteJob(textIn(asked, "name"));
    case KeptAsk.LIST_CRON:
      return new CronApi(owner).list();
    default:
      throw actorErrors.notCarried("a question that this runtime doesn't know");
  }
}

async function receive(activation: CarriedActivation, kept: Kept, question: Question): Promise<unknown> {
  const { asked, call } = question;
  const completable = asked["completable"] === true;
  // Its end isn't known, and with it that it has handled what it took.
  if (call === 0 && !completable)
    throw queueErrors.invalidOption("completable", "true outside of calls, whose end ends what they took");
  const { receiver, abort } = kept.receiving(call);
  const names = listIn(asked, "names").map((name) => queueNamed(activation, name));
  const timeoutMs = asked["timeout"] ?? Infinity;
  if (typeof timeoutMs !== "number" || !(timeoutMs >= 0))
    throw queueErrors.invalidOption("timeout", "a number, 0 or more");
  const messages = await receiver.take({
    names: names.length === 0 ? undefined : new Set(names),
    count: wholeIn(asked, "count", 1),
    timeoutMs,
    signal: abort.signal,
    completable,
  });
  return messages.map((message) => plain(kept, message, completable));
}

function plain(kept: Kept, message: QueueMessage, completable: boolean): unknown {
  const { id, name, createdAt, attempts } = message;
  if (completable) kept.given(message);
  return { id, name, createdAt, attempts, body: message.value() };
}

async function complete(activation: CarriedActivation, kept: Kept, asked: Asked): Promise<undefined> {
  const reply = asked["reply"] ?? undefined;
  const bytes = reply === undefined ? undefined : kept.queues.encode(reply, "reply");
  await kept.queues.complete({ id: wholeIn(asked, "id"), name: queueIn(activation, asked) }, bytes);
}

function retry(kept: Kept, asked: Asked): undefined {
  const id = wholeIn(asked, "id");
  const delay = asked["delay"] ?? undefined;
  if (delay !== undefined && !(typeof delay === "number" && delay >= 0))
    throw queueErrors.invalidOption("delay", "a number, 0 or more");
  const message = kept.out(id);
  if (message === undefined) throw queueErrors.deliveryOver(id);
  kept.queues.giveBack(message, delay);
}

function setCron(cron: CronApi, asked: Asked): Promise<void> {
  const job = {
    ...asked,
    name: textIn(asked, "name"),
    action: textIn(asked, "action"),
    args: listIn(asked, "args"),
  };
  if (asked["expression"] !== undefined) return cron.set({ ...job, expression: textIn(asked, "expression") });
  const { interval } = asked;
  return cron.every({ ...job, interval: typeof interval === "number" ? interval : Number.NaN });
}

function queueIn(activation: CarriedActivation, asked: Asked): string {
  return queueNamed(activation, asked["name"]);
}

/** Throws `queue.invalid_name`, `queue.not_found`. */
function queueNamed({ declaration }: CarriedActivation, name: unknown): string {
  if (!isQueueName(name)) throw queueErrors.invalidName();
  const { queues = [] } = declaration;
  if (queues.length > 0 && !queues.includes(name)) throw queueErrors.notFound(declaration.name, name);
  return name;
}

function recordOf(value: unknown): Asked {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return { ...value };
  throw queueErrors.invalidOption("the question", "an object");
}

function textIn(asked: Asked, name: string): string {
  const value = asked[name];
  if (typeof value === "string") return value;
  throw queueErrors.invalidOption(name, "a text");
}

function listIn(asked: Asked, name: string): readonly unknown[] {
  const value = asked[name] ?? [];
  if (Array.isArray(value)) return value;
  throw queueErrors.invalidOption(name, "a list");
}

function wholeIn(asked: Asked, name: string, least = 0): number {
  const value = asked[name] ?? (least === 0 ? undefined : least);
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= least) return value;
  throw queueErrors.invalidOption(name, `a whole number, ${least} or more`);
}
