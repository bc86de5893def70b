/** Every way to change a plain value, through the proxy: seen at once, saved by property, there after a reload. */
import { expect, test } from "vitest";
import { TreeStory } from "./tree.ts";

interface Item {
  id: number;
  tags: string[];
}
interface State {
  list: number[];
  items: Item[];
  nested: { deep: { value: number; more?: Record<string, unknown> } };
  count: number;
  maybe?: unknown;
}

const first = (): State => ({
  list: [3, 1, 2],
  items: [
    { id: 1, tags: ["a"] },
    { id: 2, tags: [] },
  ],
  nested: { deep: { value: 1 } },
  count: 0,
});

type Step = readonly [name: string, change: (state: State) => unknown, properties: readonly string[]];

const steps: readonly Step[] = [
  ["push", (s) => s.list.push(9, 8), ["list"]],
  ["pop", (s) => s.list.pop(), ["list"]],
  ["shift", (s) => s.list.shift(), ["list"]],
  ["unshift", (s) => s.list.unshift(7), ["list"]],
  ["splice", (s) => s.list.splice(1, 1, 5, 6), ["list"]],
  ["splice of objects", (s) => s.items.splice(0, 1, { id: 5, tags: ["n"] }, { id: 6, tags: [] }), ["items"]],
  ["sort", (s) => s.list.sort(), ["list"]],
  ["sort of objects", (s) => s.items.sort((a, b) => b.id - a.id), ["items"]],
  ["reverse", (s) => s.items.reverse(), ["items"]],
  ["fill", (s) => s.list.fill(4, 1), ["list"]],
  ["copyWithin", (s) => s.list.copyWithin(0, 1), ["list"]],
  ["length", (s) => (s.list.length = 1), ["list"]],
  ["index", (s) => (s.list[1] = 42), ["list"]],
  ["index past the end", (s) => (s.list[4] = 42), ["list"]],
  ["delete of an element", (s) => delete s.list[0], ["list"]],
  ["delete of a property", (s) => delete (s as Partial<State>).count, ["count"]],
  ["delete of a nested property", (s) => delete (s.nested.deep as { value?: number }).value, ["nested"]],
  ["nested assignment", (s) => (s.nested.deep.value = 2), ["nested"]],
  ["increment", (s) => s.count++, ["count"]],
  ["nested in an array", (s) => s.items[1]?.tags.push("x"), ["items"]],
  ["Object.assign", (s) => Object.assign(s.nested.deep, { value: 5, more: { a: [1] } }), ["nested"]],
  ["Object.assign at the top", (s) => Object.assign(s, { count: 3, maybe: "there" }), ["count", "maybe"]],
  ["spread", (s) => (s.nested = { ...s.nested, deep: { ...s.nested.deep, value: 8 } }), ["nested"]],
  ["map", (s) => (s.items = s.items.map((item) => ({ ...item, id: item.id * 2 }))), ["items"]],
  ["filter", (s) => (s.items = s.items.filter((item) => item.id === 2)), ["items"]],
  ["undefined", (s) => (s.maybe = undefined), ["maybe"]],
  [
    "Object.defineProperty",
    (s) => Object.defineProperty(s, "count", { value: 4, enumerable: true }),
    ["count"],
  ],
  ["a property of its own name", (s) => (s.maybe = { maybe: 1 }), ["maybe"]],
  ["two properties", (s) => Object.assign(s, { count: 1, list: [] }), ["count", "list"]],
  [
    "a replaced object, written through the new proxy",
    (s) => {
      s.nested = { deep: { value: 0 } };
      s.nested.deep.value = 77;
    },
    ["nested"],
  ],
];

for (const [name, change, properties] of steps) {
  test(`${name}: as on a plain object, and only what changed is written`, () => {
    const story = new TreeStory(first());
    const plain = first();
    const result = change(plain);
    expect(change(story.state)).toEqual(result);
    expect(story.tree.snapshot()).toEqual(plain);
    expect(story.commit()).toEqual(properties);
    expect(story.reloaded()).toEqual(plain);
  });
}

const reads: readonly (readonly [string, (state: State) => unknown])[] = [
  ["JSON.stringify", (s) => JSON.stringify(s)],
  ["in", (s) => ["count" in s, "nothing" in s, 0 in s.list, 9 in s.list, "value" in s.nested.deep]],
  ["keys, values, entries", (s) => [Object.keys(s), Object.values(s.nested), Object.entries(s.nested.deep)]],
  ["spread", (s) => [{ ...s }, [...s.list], [...s.items]]],
  ["iteration", (s) => Array.from(s.items, (item) => item.id)],
  ["destructuring", ({ list: [head], nested: { deep } }) => [head, deep.value]],
  ["Array.isArray", (s) => [Array.isArray(s.list), Array.isArray(s.nested)]],
  [
    "includes, indexOf, find, at",
    (s) => [s.list.includes(3), s.list.indexOf(2), s.items.find((i) => i.id === 2), s.list.at(-1)],
  ],
  [
    "reduce, join, slice, concat, flat",
    (s) => [
      s.list.reduce((a, b) => a + b),
      s.list.join(),
      s.list.slice(1),
      s.list.concat([1]),
      [s.list].flat(),
    ],
  ],
  ["hasOwn", (s) => [Object.hasOwn(s, "count"), Object.hasOwn(s, "toString")]],
  ["for in", (s) => forIn(s)],
  ["assigning what is there", (s) => [Object.assign(s, { count: 0 }).count, Object.assign(s.list, [3])]],
  ["deleting what isn't there", (s) => delete s.maybe],
];

for (const [name, read] of reads) {
  test(`${name}: writes nothing`, () => {
    const story = new TreeStory(first());
    story.writes = 0;
    expect(read(story.state)).toEqual(read(first()));
    expect(story.writes).toBe(0);
    expect(story.commit()).toEqual([]);
  });
}

test("the same object is the same proxy, and one found in an array is found again", () => {
  const { state } = new TreeStory(first());
  expect(state.nested.deep).toBe(state.nested.deep);
  const item = state.items[1];
  expect(state.items.indexOf(item as Item)).toBe(1);
  expect(state.items.includes(item as Item)).toBe(true);
});

test("an element that was taken out of an array before it moved is still that element", () => {
  for (const move of [
    (items: Item[]) => items.unshift({ id: 0, tags: [] }),
    (items: Item[]) => items.sort((a, b) => b.id - a.id),
    (items: Item[]) => items.reverse(),
    (items: Item[]) => items.splice(0, 1),
    (items: Item[]) => items.shift(),
  ]) {
    const story = new TreeStory(first());
    const plain = first();
    for (const state of [story.state, plain]) {
      const item = state.items[1];
      move(state.items);
      if (item !== undefined) item.tags.push("later");
    }
    story.commit();
    expect(story.reloaded()).toEqual(plain);
  }
});

test("an assignment copies: what the caller does with its object later changes nothing", () => {
  const story = new TreeStory(first());
  const list: unknown[] = [1];
  const mine = { deep: { value: 10, more: { list } } };
  story.state.nested = mine;
  story.state.items.push({ id: 3, tags: list as string[] });
  mine.deep.value = 11;
  list.push(2);
  story.commit();
  expect(story.reloaded()).toMatchObject({
    nested: { deep: { value: 10, more: { list: [1] } } },
    items: [{}, {}, { tags: [1] }],
  });
});

test("the same object in two places becomes two copies", () => {
  const story = new TreeStory(first());
  story.state.maybe = story.state.nested;
  story.state.nested.deep.value = 5;
  story.commit();
  expect(story.reloaded()).toMatchObject({ maybe: { deep: { value: 1 } }, nested: { deep: { value: 5 } } });
});

test("a descriptor shows no way around the proxy", () => {
  const story = new TreeStory(first());
  const descriptor = Object.getOwnPropertyDescriptor(story.state, "nested");
  const found: State["nested"] | undefined = descriptor?.value;
  Object.assign(found?.deep ?? {}, { value: 9 });
  const { list } = Object.getOwnPropertyDescriptors(story.state);
  (list.value as number[]).push(1);
  expect(story.commit()).toEqual(["list", "nested"]);
});

test("a snapshot is plain, and can be cloned and kept", () => {
  const story = new TreeStory(first());
  const snapshot = story.tree.snapshot() as State;
  expect(structuredClone(snapshot)).toEqual(first());
  snapshot.nested.deep.value = 100;
  expect(story.state.nested.deep.value).toBe(1);
  expect(story.commit()).toEqual([]);
});

test("c.state is replaced whole: old properties go, new ones come", () => {
  const story = new TreeStory<Record<string, unknown>>({ old: 1, kept: { n: 1 } });
  story.tree.replace({ kept: { n: 2 }, fresh: [1] });
  (story.state.kept as { n: number }).n = 3;
  expect(story.commit()).toEqual(["fresh", "kept", "old"]);
  expect(story.reloaded()).toEqual({ kept: { n: 3 }, fresh: [1] });
});

function forIn(value: object): string[] {
  const keys: string[] = [];
  for (const key in value) keys.push(key);
  return keys;
}
