/**
 * The array methods that move elements, for arrays in the state.
 *
 * Through the traps alone each move would be an assignment, and an assignment admitted: whoever holds an element would
 * hold one that is no longer there. Here elements move as they are, and only what comes from outside is copied.
 */

/** What the methods need of the tree around their array. */
export interface ArrayScope {
  /** An element as user code sees it. */
  show(element: unknown): unknown;
  /** What is put there for a value from outside. Throws when it can't be stored. */
  admit(value: unknown): unknown;
  /** The array is about to change. Throws when it may not. */
  mark(): void;
}

type Method = (...args: never[]) => unknown;
type Compare = (a: unknown, b: unknown) => number;

/** The method under `name`, when it is one that moves elements. */
export function movingMethod(array: unknown[], name: PropertyKey, scope: ArrayScope): Method | undefined {
  switch (name) {
    case "shift":
      return () => {
        scope.mark();
        return scope.show(array.shift());
      };
    case "unshift":
      return (...items: readonly unknown[]) => {
        const admitted = items.map((item) => scope.admit(item));
        scope.mark();
        return array.unshift(...admitted);
      };
    case "splice":
      return (...args: readonly unknown[]) => splice(array, args, scope);
    case "reverse":
      return () => {
        scope.mark();
        return scope.show(array.reverse());
      };
    case "sort":
      return (compare?: Compare) => sort(array, compare, scope);
    default:
      return undefined;
  }
}

function splice(array: unknown[], args: readonly unknown[], scope: ArrayScope): unknown[] {
  const [start, count, ...items] = args;
  const admitted = items.map((item) => scope.admit(item));
  scope.mark();
  if (args.length === 0) return [];
  const from = Number(start);
  const removed = args.length === 1 ? array.splice(from) : array.splice(from, Number(count), ...admitted);
  return removed.map((element) => scope.show(element));
}

/** Sorted aside first: a comparison that throws leaves the array as it was. */
function sort(array: unknown[], compare: Compare | undefined, scope: ArrayScope): unknown {
  const sorted = array.toSorted(compare && ((a, b) => compare(scope.show(a), scope.show(b))));
  scope.mark();
  for (const [index, element] of sorted.entries()) array[index] = element;
  return scope.show(array);
}
