/**
 * What carried code asks of the runtime, and the answers. Several may be open at once; each has its own answer, in
 * whatever order they come.
 */
import { type CarriedAnswer, type CarriedAsk, toCarriedError } from "@troupe/protocol/actor/v1";
import { actorErrors } from "../../errors.ts";
import type { CarriedActivation } from "./activation.ts";

type Answered = Partial<Omit<CarriedAnswer, "ask">>;

/** Answers one question. Never rejects. */
export async function answer(activation: CarriedActivation, ask: CarriedAsk): Promise<void> {
  let answered: Answered;
  try {
    answered = await ofAsk(activation, ask);
  } catch (cause) {
    answered = { error: toCarriedError(cause, activation.encoding) };
  }
  activation.say({
    $case: "answer",
    value: { ask: ask.ask, error: undefined, rows: [], sql: NOTHING, ...answered },
  });
}

const NOTHING = new Uint8Array(0);

async function ofAsk(activation: CarriedActivation, ask: CarriedAsk): Promise<Answered> {
  switch (ask.about?.$case) {
    case "barrier":
      await activation.durable();
      return {};
    default:
      throw actorErrors.notCarried(ask.about?.$case ?? "a question that this runtime doesn't know");
  }
}
