/** Breather: which answers of one registry's calls wait for the end of the loop's turn. */
import { expect, test } from "vitest";
import { Breather } from "../../src/gateway/breather.ts";

/** A loop whose turns end when the test says so. */
function loop() {
  let tasks: (() => void)[] = [];
  return {
    breather: new Breather({ afterTurn: (task) => void tasks.push(task) }),
    turn: (): void => {
      const due = tasks;
      tasks = [];
      for (const task of due) task();
    },
  };
}

/** So many answers in one turn: the first that waits, and how many do. */
function answers(breather: Breather, count: number): { readonly first: number; readonly waiting: number } {
  const pauses = Array.from({ length: count }, () => breather.next());
  const waiting = pauses.filter((pause) => pause !== undefined).length;
  return { first: pauses.findIndex((pause) => pause !== undefined), waiting };
}

test("answers of one turn: after 63 the next one waits for its end, and those behind it", () => {
  const { breather, turn } = loop();
  expect(answers(breather, 100)).toEqual({ first: 63, waiting: 37 });
  turn();
  expect(answers(breather, 100)).toEqual({ first: 63, waiting: 37 });
});

test("callers that are answered together, turn after turn, aren't parted", () => {
  const { breather, turn } = loop();
  for (let wave = 0; wave < 10; wave += 1) {
    expect(answers(breather, 32)).toEqual({ first: -1, waiting: 0 });
    turn();
  }
});
