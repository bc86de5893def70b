/** Values that keep their data in internal slots: handed out as they are, compared by bytes. */
import { expect, test } from "vitest";
import { TreeStory } from "./tree.ts";

const first = () => ({
  map: new Map<string, unknown>([["a", { n: 1 }]]),
  set: new Set([1, 2]),
  at: new Date(1_000),
  bytes: new Uint8Array([1, 2, 3]),
  floats: new Float64Array([1.5]),
  deep: { inner: { map: new Map([[1, "one"]]) } },
  plain: 1,
});

type State = ReturnType<typeof first>;

const changes: readonly (readonly [string, (state: State) => unknown, readonly string[]])[] = [
  ["Map.set", (s) => s.map.set("b", 2), ["map"]],
  ["Map.delete", (s) => s.map.delete("a"), ["map"]],
  ["an object inside a Map", (s) => Object.assign(s.map.get("a") as object, { n: 2 }), ["map"]],
  ["Set.add", (s) => s.set.add(3), ["set"]],
  ["Date.setTime", (s) => s.at.setTime(2_000), ["at"]],
  ["an element of a typed array", (s) => (s.bytes[0] = 9), ["bytes"]],
  ["DataView over its buffer", (s) => new DataView(s.floats.buffer).setFloat64(0, 2.5), ["floats"]],
  ["a Map below objects", (s) => s.deep.inner.map.set(2, "two"), ["deep"]],
  ["Map.set of what is there", (s) => s.set.add(1), []],
  ["a read alone", (s) => [s.map.size, [...s.set], s.at.getTime(), s.bytes.length], []],
];

for (const [name, change, properties] of changes) {
  test(`${name} is ${properties.length === 0 ? "not " : ""}written`, () => {
    const story = new TreeStory(first());
    expect(story.tree.suspicious).toBe(false);
    const plain = first();
    change(plain);
    change(story.state);
    expect(story.tree.suspicious).toBe(true);
    expect(story.commit()).toEqual(properties);
    expect(story.commit()).toEqual([]);
    expect(story.reloaded()).toEqual(plain);
  });
}

test("one that was kept over many batches is still looked at", () => {
  const story = new TreeStory(first());
  const { map } = story.state;
  expect(story.commit()).toEqual([]);
  map.set("later", 1);
  expect(story.commit()).toEqual(["map"]);
  map.set("later", 2);
  story.state.plain = 2;
  expect(story.commit()).toEqual(["map", "plain"]);
  map.clear();
  expect(story.commit()).toEqual(["map"]);
  expect(story.reloaded()).toMatchObject({ map: new Map() });
});

test("real built-ins come out, also after a reload", () => {
  const story = new TreeStory(first());
  const { map, set, at, bytes } = new TreeStory<State>(undefined, story.rows).state;
  expect(map).toBeInstanceOf(Map);
  expect(set).toBeInstanceOf(Set);
  expect(at).toBeInstanceOf(Date);
  expect(Object.getPrototypeOf(bytes)).toBe(Uint8Array.prototype);
  expect(at.toISOString()).toBe("1970-01-01T00:00:01.000Z");
});

test("a built-in that is assigned is copied", () => {
  const story = new TreeStory(first());
  const mine = new Map([["mine", 1]]);
  story.state.map = mine;
  mine.set("later", 2);
  expect(story.commit()).toEqual(["map"]);
  expect(story.reloaded()).toMatchObject({ map: new Map([["mine", 1]]) });
  story.state.map.set("inside", 3);
  expect(story.commit()).toEqual(["map"]);
});

test("written and read in one batch, then changed behind the trap", () => {
  const story = new TreeStory(first());
  story.state.map = new Map([["x", 1]]);
  const held = story.state.map;
  expect(story.commit()).toEqual(["map"]);
  held.set("x", 2);
  expect(story.commit()).toEqual(["map"]);
  expect(story.commit()).toEqual([]);
});

test("what can't be stored and got in through a Map fails the batch by name", () => {
  const story = new TreeStory(first());
  story.state.map.set("f", () => 1);
  expect(() => story.commit()).toThrow(/state\.map/);
});
