/** The tree against a plain object: random operations, a reload from the rows after each batch. */
import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { expect, test } from "vitest";
import { TreeStory } from "./tree.ts";

type Target = Record<string, unknown> | unknown[];
/** `outside`: what this side has assigned itself and holds, where its call may still write to it. */
type Operation = (root: Target, held: unknown[], outside?: Target[]) => void;

/** Fresh for each side: the model shares nothing with the tree. */
const copy = <T>(original: T): T => structuredClone(original);

const leaf = fc.oneof(
  fc.integer(),
  fc.string({ maxLength: 4 }),
  fc.constantFrom(null, undefined, true, -0, Number.NaN),
  fc.bigInt({ min: 0n, max: 1n << 70n }),
  fc.date({ noInvalidDate: true }),
);

const value: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  node: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    leaf,
    fc.array(tie("node"), { maxLength: 4 }),
    fc.dictionary(fc.constantFrom("a", "b", "length"), tie("node"), { maxKeys: 3 }),
    fc
      .array(fc.tuple(fc.string({ maxLength: 2 }), leaf), { maxLength: 3 })
      .map((entries) => new Map(entries)),
    fc.array(leaf, { maxLength: 3 }).map((entries) => new Set(entries)),
    fc.uint8Array({ maxLength: 4 }),
  ),
})).node;

/** What can be lent. */
const plain: fc.Arbitrary<Target> = fc.letrec<{ node: unknown; container: Target }>((tie) => ({
  node: fc.oneof({ maxDepth: 2, withCrossShrink: true }, leaf, tie("container")),
  container: fc.oneof(
    fc.array(tie("node"), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom("a", "b"), tie("node"), { maxKeys: 2 }),
  ),
})).container;

const name = fc.constantFrom("a", "b", "c");

/** Follows a path as far as it goes: to the container that the operation works on. */
function at(root: Target, path: readonly number[]): Target {
  let target = root;
  for (const step of path) {
    const inner = Object.values(target).filter((child): child is Target => isContainer(child));
    const next = inner[step % Math.max(1, inner.length)];
    if (next === undefined) return target;
    target = next;
  }
  return target;
}

function isContainer(child: unknown): child is Target {
  return (
    Array.isArray(child) ||
    (typeof child === "object" &&
      child !== null &&
      !ArrayBuffer.isView(child) &&
      !(child instanceof Map) &&
      !(child instanceof Set) &&
      !(child instanceof Date))
  );
}

const operation: fc.Arbitrary<Operation> = fc
  .record({
    kind: fc.constantFrom(
      ...[
        "set",
        "delete",
        "push",
        "pop",
        "shift",
        "unshift",
        "splice",
        "reverse",
        "sort",
        "length",
        "assign",
        "builtin",
      ],
      ...["hold", "useHeld", "move"],
      ...["lend", "lend", "writeLent", "writeLent"],
    ),
    plain,
    path: fc.array(fc.nat({ max: 5 }), { maxLength: 3 }),
    name,
    value,
    index: fc.nat({ max: 3 }),
  })
  .map((o) => {
    const run: Operation = (root, held, outside) => {
      const target = at(root, o.path);
      switch (o.kind) {
        case "lend": {
          const fresh = copy(o.plain);
          outside?.push(fresh);
          if (Array.isArray(target)) target.splice(o.index, 1, fresh);
          else target[o.name] = fresh;
          return;
        }
        case "writeLent": {
          const lent = outside?.at(-1 - o.index) ?? outside?.at(-1);
          const inside = lent === undefined ? undefined : at(lent, o.path);
          if (Array.isArray(inside)) changeArray(inside, o);
          else if (inside !== undefined) inside[o.name] = copy(o.value);
          return;
        }
        case "hold":
          held.push(target);
          return;
        case "useHeld": {
          const kept = held.at(-1 - o.index) ?? held.at(-1);
          if (isContainer(kept) && !Array.isArray(kept)) kept[o.name] = copy(o.value);
          return;
        }
        case "move":
          if (!Array.isArray(target)) target[o.name] = copyOf(Object.values(target)[o.index]);
          return;
        case "assign":
          if (!Array.isArray(target)) Object.assign(target, { [o.name]: copy(o.value), d: 1 });
          return;
        case "builtin": {
          const found = Object.values(target)[o.index];
          if (found instanceof Map) found.set(o.name, 1);
          if (found instanceof Set) found.add(o.name);
          if (found instanceof Date) found.setTime(o.index);
          if (found instanceof Uint8Array) found.fill(o.index);
          return;
        }
        default:
          if (Array.isArray(target)) changeArray(target, o);
          else if (o.kind === "delete") delete target[o.name];
          else target[o.name] = copy(o.value);
      }
    };
    return Object.assign(run, {
      toString: () => `${o.kind} ${o.path.join("/")} ${o.name} ${o.index} ${fc.stringify(o.value)}`,
    });
  });

/** A copy also of a proxy: what assigning it in the tree makes. */
function copyOf(original: unknown): unknown {
  if (!isContainer(original)) return original === undefined ? undefined : copy(original);
  return Array.isArray(original)
    ? original.map(copyOf)
    : Object.fromEntries(Object.entries(original).map(([key, child]) => [key, copyOf(child)]));
}

function changeArray(target: unknown[], o: { kind: string; value: unknown; index: number }): void {
  switch (o.kind) {
    case "push":
      target.push(copy(o.value));
      return;
    case "pop":
      target.pop();
      return;
    case "shift":
      target.shift();
      return;
    case "unshift":
      target.unshift(copy(o.value));
      return;
    case "splice":
      target.splice(o.index, 1, copy(o.value));
      return;
    case "reverse":
      target.reverse();
      return;
    case "sort":
      target.sort((a, b) => Number(typeof a > typeof b) - Number(typeof a < typeof b));
      return;
    case "length":
      target.length = Math.min(target.length, o.index);
      return;
    default:
      if (o.index < target.length) target[o.index] = copy(o.value);
  }
}

// Small batches: another change of the same property would hide one that was missed.
const batches = fc.array(fc.array(operation, { maxLength: 3 }), { maxLength: 12 });
const objects = fc.array(fc.dictionary(name, leaf, { maxKeys: 2 }), { minLength: 2, maxLength: 4 });
const firstState = fc.tuple(fc.dictionary(name, value, { maxKeys: 4 }), objects).map(([state, list]) => ({
  list,
  tree: { a: { a: 1, b: 2, c: 3 }, list: list.map((item) => copy(item)) },
  ...state,
}));

test.each([
  ["nobody holds what was assigned", 0],
  ["a call holds what it assigned, over three batches", 3],
])(
  "random operations, where %s: the tree is what a plain object would be, now and after a reload",
  (_, batchesOfCall) => {
    fc.assert(
      fc.property(firstState, batches, (state, rounds) => {
        const model: Record<string, unknown> = copy(state);
        const story = new TreeStory<Record<string, unknown>>(copy(state));
        const held: unknown[] = [];
        const modelHeld: unknown[] = [];
        let outside: Target[] | undefined;
        let modelOutside: Target[] | undefined;
        for (const [index, round] of rounds.entries()) {
          if (batchesOfCall > 0 && index % batchesOfCall === 0) {
            story.nextCall();
            [outside, modelOutside] = [[], []];
          }
          const before = copy(model);
          for (const change of round) {
            change(story.state, held, outside);
            change(model, modelHeld, modelOutside);
          }
          expect(story.tree.snapshot()).toEqual(model);
          const changed = Object.keys({ ...before, ...model }).filter(
            (key) => !isDeepStrictEqual(before[key], model[key]) || key in before !== key in model,
          );
          // All that changed is written; what is written twice the same is harmless.
          expect(story.commit()).toEqual(expect.arrayContaining(changed));
          expect(story.reloaded()).toEqual(model);
        }
      }),
      { numRuns: 600 },
    );
  },
);
