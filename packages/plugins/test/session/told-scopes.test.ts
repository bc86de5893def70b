/** Whose scopes are whose in one session, and for how long: the plugin is the test, which says what it likes. */
import { limits } from "@troupe/protocol";
import { type CallMethod, fromCarriedError, NO_PAYLOAD } from "@troupe/protocol/actor/v1";
import { propagationContextToJson } from "@troupe/relay";
import type { ActorLine } from "@troupe/runtime";
import { expect, test } from "vitest";
import { EVERYBODY, ToldScopes } from "../../src/session/told-scopes.ts";
import { Ear, openScripted, type ScriptedCarrier } from "../support/scripted-carrier.ts";
import { settled, World } from "../support/world.ts";

/** The nth scope of a trace. */
function scope(n: number): string {
  const parentUuid = `00000000-0000-7000-8000-${n.toString(16).padStart(12, "0")}`;
  return propagationContextToJson({
    version: 1,
    rootUuid: "00000000-0000-7000-8000-00000000000a",
    parentUuid,
  });
}

/** Calls an instance in that scope. */
function call(line: ActorLine, number: number, trace: string): void {
  const terms = { connection: 0, params: NO_PAYLOAD, timeoutMs: 0, send: undefined, idempotencyKey: "" };
  const origin = { ticket: undefined, caller: "", chain: [], depth: 0, trace };
  line.send({
    $case: "call",
    value: { call: number, action: "increment", args: NO_PAYLOAD, ...terms, ...origin },
  });
}

function reply(carrier: ScriptedCarrier, instance: number, number: number): void {
  const value = { call: number, value: NO_PAYLOAD, error: undefined, refused: false, begun: true };
  carrier.sayOf(instance, { $case: "reply", value });
}

/** The instance calls another actor in that scope. */
function ask(carrier: ScriptedCarrier, instance: number, number: number, trace: string): void {
  const target = { name: "other", key: [], method: 1 as CallMethod, actorId: "", input: NO_PAYLOAD };
  const what = { action: "get", args: NO_PAYLOAD, send: undefined, params: NO_PAYLOAD };
  const terms = { timeoutMs: 0, idempotencyKey: "", chain: [], depth: 0, trace };
  const about = { $case: "actorCall", value: { ...target, ...what, ...terms } } as const;
  carrier.sayOf(instance, { $case: "ask", value: { ask: number, about } });
}

/** What the host answered itself, without the runtime: of each question the instance and the error. */
function refused(carrier: ScriptedCarrier): unknown[] {
  return carrier.sent.flatMap(({ body }) => {
    if (body?.$case !== "actor" || body.value.body?.$case !== "answer") return [];
    const { ask: number, error } = body.value.body.value;
    return error === undefined ? [] : [[body.value.instance, number, fromCarriedError(error, "json").code]];
  });
}

test("an instance calls others in the scopes of its own calls, and in no other instance's", async () => {
  const { session, carrier } = await openScripted(new World());
  const [one, other] = [new Ear(), new Ear()];
  const line = session.actor("counter").connect(one);
  call(line, 1, scope(1));
  call(session.actor("counter").connect(other), 1, scope(2));
  for (const [instance, trace] of [
    [1, scope(1)],
    [1, ""],
    [2, scope(2)],
  ] as const)
    ask(carrier, instance, 1, trace);
  expect([one.said, other.said]).toEqual([["ask", "ask"], ["ask"]]);
  ask(carrier, 1, 2, scope(2));
  ask(carrier, 2, 3, scope(3));
  ask(carrier, 2, 4, "{");
  // It doesn't hear of its answer while it asks.
  expect(refused(carrier)).toEqual([]);
  await settled();
  expect(refused(carrier)).toEqual([
    [1, 2, "scope_unknown"],
    [2, 3, "scope_unknown"],
    [2, 4, "propagation_malformed"],
  ]);
  // Nothing came of them, and the instances go on; what they leave behind an answer is theirs.
  reply(carrier, 1, 1);
  ask(carrier, 1, 5, scope(1));
  ask(carrier, 2, 6, scope(2));
  expect([one.said, other.said]).toEqual([
    ["ask", "ask", "reply", "ask"],
    ["ask", "ask"],
  ]);
  // A closed line names nothing.
  line.close();
  ask(carrier, 1, 7, scope(1));
  ask(carrier, 2, 8, scope(1));
  await settled();
  expect(refused(carrier).at(-1)).toEqual([2, 8, "scope_unknown"]);
  expect(refused(carrier)).toHaveLength(4);
});

test("of calls that never get an answer the first count as over: what is held is bounded", async () => {
  const { session, carrier } = await openScripted(new World());
  const ear = new Ear();
  const line = session.actor("counter").connect(ear);
  const last = limits.pluginInstanceToldCalls + 5 * limits.pluginInstanceEndedScopes;
  for (let number = 0; number < last; number += 1) call(line, number, scope(number));
  ask(carrier, 1, 1, scope(0));
  ask(carrier, 1, 2, scope(last - limits.pluginInstanceToldCalls));
  await settled();
  expect(refused(carrier)).toEqual([[1, 1, "scope_unknown"]]);
});

test("a scope is known while it is open, and behind its end until so many more were told", () => {
  const scopes = new ToldScopes();
  const share = limits.pluginInstanceEndedScopes;
  const end = (from: number, to: number, instances?: number) => {
    for (let n = from; n < to; n += 1) scopes.over(scopes.told(scope(n), 1, instances));
  };
  const known = (...numbers: number[]) => numbers.map((n) => scopes.isKnown(scope(n), 1));
  const open = scopes.told(scope(0), 1);
  end(1, 2 * share);
  expect(known(0, 1, 2 * share - 1)).toEqual([true, true, true]);
  end(2 * share, 2 * share + 1);
  expect(known(0, 1, share - 1, share, 2 * share)).toEqual([true, false, false, true, true]);
  // However long it was open: what is over now is known for as long as any other.
  end(2 * share + 1, 5 * share);
  scopes.over(open);
  end(5 * share, 6 * share);
  expect(known(0, 3 * share)).toEqual([true, false]);
  end(6 * share, 9 * share);
  expect(known(0, 6 * share)).toEqual([false, false]);
  // Of many instances each has its share, up to a bound for all.
  const most = limits.pluginEndedScopes;
  const from = 10 * share;
  end(from, from + 3 * most, 1_000);
  expect(known(from, from + 2 * most, from + 3 * most - 1)).toEqual([false, true, true]);
});

test("a scope that two were told is everybody's", () => {
  const scopes = new ToldScopes();
  scopes.told(scope(1), 1);
  const by = (n: number) => [1, 2, EVERYBODY].map((whose) => scopes.isKnown(scope(n), whose));
  expect(by(1)).toEqual([true, false, true]);
  scopes.over(scopes.told(scope(1), EVERYBODY));
  expect(by(1)).toEqual([true, true, true]);
  expect(by(0)).toEqual([false, false, false]);
  expect(() => scopes.isKnown("")).toThrow(expect.objectContaining({ code: "propagation_malformed" }));
});
