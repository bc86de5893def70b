import { TroupeError } from "@troupe/base";
import { cloneValue, encodeCbor, encodeJson, limits } from "@troupe/protocol";
import { describe, expect, test } from "vitest";

const walkers = { cloneValue, encodeJson, encodeCbor };

class Account {
  readonly owner = "ann";
}

function withOwnProto(): unknown {
  return JSON.parse('{"__proto__":{"admin":true}}');
}

function nested(levels: number): unknown {
  let value: unknown = 1;
  for (let level = 0; level < levels; level++) value = level % 2 === 0 ? [value] : { in: value };
  return value;
}

function cyclic(): unknown {
  const user: Record<string, unknown> = { name: "ann" };
  user.friends = [user];
  return { user };
}

function detached(): unknown {
  const view = new Uint8Array(8);
  const data = new DataView(view.buffer);
  structuredClone(view.buffer, { transfer: [view.buffer] });
  return data;
}

const thenable: Record<string, unknown> = {};
Reflect.set(thenable, "then", () => 1);

const getter = {
  get bad(): unknown {
    throw new Error("no");
  },
};
const revoked = Proxy.revocable({}, {});
revoked.revoke();

const refused: readonly [string, unknown, string, string, string?][] = [
  ["a function", { f: () => 1 }, "unsupported_type", "args[0].f", "a function (f)"],
  ["a symbol", [Symbol("s")], "unsupported_type", "args[0][0]", "a symbol"],
  ["a class instance", { a: new Account() }, "unsupported_type", "args[0].a", "an instance of Account"],
  ["a promise", Promise.resolve(1), "unsupported_type", "args[0]", "a Promise (is an await missing?)"],
  [
    "a subclass of Map",
    new (class Index extends Map {})(),
    "unsupported_type",
    "args[0]",
    "an instance of Index",
  ],
  ["a WeakMap", new WeakMap(), "unsupported_type", "args[0]", "an instance of WeakMap"],
  [
    "shared memory",
    new SharedArrayBuffer(1),
    "unsupported_type",
    "args[0]",
    "an instance of SharedArrayBuffer",
  ],
  ["a wrapped number", Object(1), "unsupported_type", "args[0]", "an instance of Number"],
  ["an iterator", [1].values(), "unsupported_type", "args[0]"],
  ["a symbol for a key", { a: { [Symbol("s")]: 1 } }, "unsupported_type", "args[0].a"],
  ["a getter that throws", getter, "unsupported_type", "args[0].bad"],
  ["a revoked proxy", [revoked.proxy], "unsupported_type", "args[0][0]"],
  ["a forged Date", Object.create(Date.prototype), "unsupported_type", "args[0]"],
  ["a forged Map", Object.create(Map.prototype), "unsupported_type", "args[0]"],
  ["a view of detached memory", [detached()], "unsupported_type", "args[0][0]"],
  ["a bigint of 4 KiB and a bit", { n: 1n << 40_000n }, "unsupported_type", "args[0].n"],
  ["a method called toJSON", { toJSON: () => 1 }, "unsupported_type", "args[0].toJSON"],
  ["a thenable", thenable, "unsupported_type", "args[0].then"],
  ["a cycle", cyclic(), "cyclic", "args[0].user.friends[0]"],
  ["its own __proto__", { user: withOwnProto() }, "forbidden_key", "args[0].user"],
  ["its own __proto__ in a Map", new Map([[1, withOwnProto()]]), "forbidden_key", "args[0][1]"],
  ["an odd name on the way", { "first name": { x: () => 1 } }, "unsupported_type", 'args[0]["first name"].x'],
  [
    "metadata of an error",
    new TroupeError("a", "b", "c", { metadata: { f: cyclic } }),
    "unsupported_type",
    "args[0].metadata.f",
  ],
];

describe.each(Object.entries(walkers))("%s refuses", (_name, walk) => {
  test.each(refused)("%s", (_what, value, code, path, type) => {
    const error = failure(() => walk(value, "args[0]"));
    expect(error).toMatchObject({ group: "value", code });
    expect(error.metadata?.path).toBe(path);
    if (type !== undefined) expect(error.metadata?.type).toBe(type);
    expect(error.message).toContain(path);
  });

  test("what is nested one level too deep, and takes the level before", () => {
    walk(nested(limits.valueDepth));
    const error = failure(() => walk(nested(limits.valueDepth + 1)));
    expect(error).toMatchObject({ code: "too_deep", metadata: { limit: limits.valueDepth } });
  });

  test("what is nested 100,000 levels deep, without a stack overflow", () => {
    expect(failure(() => walk(nested(100_000))).code).toBe("too_deep");
  });

  test("a few objects that refer to each other a billion times", () => {
    let bomb: unknown = "lol";
    for (let level = 0; level < 30; level++) bomb = [bomb, bomb];
    expect(failure(() => walk(bomb)).code).toBe("too_many_entries");
  });

  test("a sparse array that claims four billion elements", () => {
    expect(failure(() => walk(new Array(4_000_000_000))).code).toBe("too_many_entries");
  });

  test("a value without a path by the name `value`", () => {
    expect(failure(() => walk({ f: walk })).metadata?.path).toBe("value.f");
  });

  test("nothing because it is shared: the same object twice is two", () => {
    const shared = { a: 1 };
    walk([shared, shared]);
  });
});

test("a getter's value is copied as data", () => {
  const value = {
    get now() {
      return [1];
    },
  };
  expect(cloneValue(value)).toStrictEqual({ now: [1] });
  expect(Object.getOwnPropertyDescriptor(cloneValue(value), "now")?.value).toEqual([1]);
});

test("an object without a prototype is a plain one, everywhere", () => {
  const bare = Object.assign(Object.create(null), { a: [1] });
  expect(cloneValue(bare)).toStrictEqual({ a: [1] });
  expect(encodeJson(bare)).toBe('{"a":[1]}');
});

function failure(act: () => unknown): TroupeError {
  try {
    act();
  } catch (error) {
    if (TroupeError.is(error)) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}
