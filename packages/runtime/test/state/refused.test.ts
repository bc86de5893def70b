/** What isn't data is refused at the assignment, on the user's own stack, with the place. */
import { limits } from "@troupe/protocol";
import { expect, test } from "vitest";
import { codeOf } from "../driver/watch.ts";
import { TreeStory } from "./tree.ts";

type Loose = Record<string, unknown> & { list: unknown[]; nested: Record<string, unknown> };

const first = (): Loose => ({ list: [{ a: 1 }], nested: { inner: {} } });

class Point {
  x = 1;
}

const cyclic: Record<string, unknown> = { name: "c" };
cyclic["self"] = { back: cyclic };

function nest(levels: number): unknown {
  let value: unknown = 0;
  for (let level = 0; level < levels; level += 1) value = { v: value };
  return value;
}

const cases: readonly (readonly [string, (state: Loose) => unknown, code: string, place: string])[] = [
  ["a function", (s) => (s["f"] = () => 1), "value.unsupported_type", "state.f"],
  ["a method below", (s) => (s["x"] = { a: [{ run() {} }] }), "value.unsupported_type", "state.x.a[0].run"],
  ["a symbol", (s) => (s["y"] = Symbol("s")), "value.unsupported_type", "state.y"],
  ["a class instance", (s) => (s["p"] = new Point()), "value.unsupported_type", "state.p"],
  ["a Promise", (s) => (s["p"] = Promise.resolve()), "value.unsupported_type", "state.p"],
  ["a WeakMap", (s) => (s["p"] = new WeakMap()), "value.unsupported_type", "state.p"],
  ["a cycle", (s) => (s["c"] = cyclic), "value.cyclic", "state.c.self.back"],
  ["too deep", (s) => (s["d"] = nest(limits.valueDepth + 1)), "value.too_deep", "state.d"],
  ["a pushed function", (s) => s.list.push(() => 1), "value.unsupported_type", "list"],
  ["a nested function", (s) => (s.nested["f"] = () => 1), "value.unsupported_type", "nested"],
  ["a nested symbol", (s) => (s.nested["f"] = Symbol("x")), "value.unsupported_type", "nested"],
  [
    "__proto__ in JSON",
    (s) => (s["j"] = JSON.parse('{"a":{"__proto__":{"admin":true}}}')),
    "value.forbidden_key",
    "state.j.a",
  ],
  ["__proto__ itself", (s) => Reflect.set(s, "__proto__", {}), "value.forbidden_key", ""],
  ["__proto__ below", (s) => Reflect.set(s.nested, "__proto__", {}), "value.forbidden_key", ""],
  [
    "defineProperty of __proto__",
    (s) => Object.defineProperty(s, "__proto__", { value: 1 }),
    "value.forbidden_key",
    "",
  ],
  ["a symbol for a key", (s) => Object.assign(s, { [Symbol("k")]: 1 }), "state.symbol_key", ""],
  ["a getter", (s) => Object.defineProperty(s.nested, "g", { get: () => 1 }), "state.accessor", ""],
];

for (const [name, change, code, place] of cases) {
  test(`${name}: ${code} at ${place || "the assignment"}, and nothing changed`, () => {
    const story = new TreeStory(first());
    story.writes = 0;
    let caught: unknown;
    try {
      change(story.state);
    } catch (error) {
      caught = error;
    }
    expect(codeOf(caught)).toBe(code);
    expect((caught as Error).message).toContain(place);
    expect((caught as Error).stack).toContain("refused.test.ts");
    expect(story.tree.snapshot()).toEqual(first());
    expect(story.commit()).toEqual([]);
    expect(Object.prototype).not.toHaveProperty("admin");
  });
}

test("the prototype can't be changed, the state can't be frozen", () => {
  const { state } = new TreeStory(first());
  expect(() => Object.setPrototypeOf(state, {})).toThrow(TypeError);
  expect(() => Object.freeze(state.nested)).toThrow(TypeError);
  expect(() => Object.preventExtensions(state)).toThrow(TypeError);
});

test("the state must be a plain object", () => {
  const { tree } = new TreeStory<object>({ kept: 1 });
  for (const value of [1, "text", null, undefined, [], new Map(), new Point(), () => 1]) {
    expect(() => tree.replace(value)).toThrow(/plain object|can't be stored/);
  }
  expect(tree.snapshot()).toEqual({ kept: 1 });
});

test("a property past the limit fails its batch by name", () => {
  const story = new TreeStory<Record<string, unknown>>({ small: 1 });
  story.state["huge"] = "x".repeat(limits.statePropertyBytes);
  expect(() => story.commit()).toThrow(/state\.huge/);
});

test("a large property is named, with its size and who wrote it, when it is written again; once", () => {
  const story = new TreeStory<Record<string, unknown>>({ small: 1 });
  const text = "x".repeat(limits.statePropertyWarnBytes);
  story.state["large"] = text;
  story.state["other"] = text;
  expect(story.commit()).toEqual(["large", "other"]);
  expect(story.world.logged("warn", "large")).toEqual([]);
  for (let round = 0; round < 3; round += 1) {
    story.state["large"] = text + String(round);
    story.commit();
  }
  const [line, ...more] = story.world.logged("warn", "state.large is large");
  expect(more).toEqual([]);
  expect(line?.fields).toMatchObject({ property: "large", bytes: text.length + 5 });
  const cause = line?.fields["cause"];
  expect(cause instanceof Error ? cause.stack : cause).toContain("refused.test.ts");
});

test("more properties than the limit are refused by their own code", () => {
  const story = new TreeStory<Record<string, unknown>>({});
  let caught: unknown;
  try {
    for (let index = 0; index <= limits.stateProperties; index += 1) story.state[`p${index}`] = index;
  } catch (error) {
    caught = error;
  }
  expect(codeOf(caught)).toBe("state.too_many_properties");
  expect(Object.keys(story.state)).toHaveLength(limits.stateProperties);
});
