/**
 * What a value said at one moment: lists and objects are copied, so that an edit in place shows as a difference. Anything
 * else (a date, bytes, an instance of a class) is kept as it is, and is compared by what JSON makes of it.
 */

const plain = { enumerable: true, writable: true, configurable: true };

/** A copy of `value`, cycles included. Any depth will do. */
export function snapshot(value: unknown): unknown {
  const copies = new Map<object, object>();
  const todo: object[] = [];
  const copied = (part: unknown): unknown => {
    if (!isStructure(part)) return part;
    const known = copies.get(part);
    if (known !== undefined) return known;
    const copy = Array.isArray(part) ? [] : Object.create(Object.getPrototypeOf(part));
    copies.set(part, copy);
    todo.push(part);
    return copy;
  };
  const whole = copied(value);
  for (let part = todo.pop(); part !== undefined; part = todo.pop()) {
    const copy = copies.get(part) ?? {};
    // Assigning `__proto__` would change what the copy inherits.
    for (const [key, field] of Object.entries(part))
      Object.defineProperty(copy, key, { ...plain, value: copied(field) });
  }
  return whole;
}

/** True when both say the same; a property that is undefined says nothing. */
export function saysTheSame(one: unknown, other: unknown): boolean {
  const compared = new Map<object, object>();
  const todo: (readonly [unknown, unknown])[] = [[one, other]];
  for (let pair = todo.pop(); pair !== undefined; pair = todo.pop()) {
    const [left, right] = pair;
    if (Object.is(left, right)) continue;
    if (!isStructure(left) || !isStructure(right)) {
      if (!isAlikeInJson(left, right)) return false;
      continue;
    }
    if (compared.get(left) === right) continue;
    compared.set(left, right);
    if (Array.isArray(left) !== Array.isArray(right)) return false;
    for (const key of new Set([...Object.keys(left), ...Object.keys(right)]))
      todo.push([own(left, key), own(right, key)]);
  }
  return true;
}

function own(structure: object, key: string): unknown {
  return Object.hasOwn(structure, key) ? Reflect.get(structure, key) : undefined;
}

function isStructure(value: unknown): value is object {
  if (typeof value !== "object" || value === null) return false;
  if (Array.isArray(value)) return true;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function isAlikeInJson(one: unknown, other: unknown): boolean {
  if (typeof one !== "object" || typeof other !== "object" || one === null || other === null) return false;
  try {
    return JSON.stringify(one) === JSON.stringify(other);
  } catch {
    return false;
  }
}
