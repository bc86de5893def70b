/**
 * What a value said at one moment: lists and objects are copied, so that an edit in place shows as a difference. Anything
 * else (a date, bytes, an instance of a class) is kept as it is, and is compared by what JSON makes of it. A list says its elements: what else
 * it has is in no JSON. All of it runs between a guardrail's question and its answer, so a long body must take no longer than to read it does.
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
    if (Array.isArray(part) && Array.isArray(copy)) for (const field of part) copy.push(copied(field));
    else for (const key of Object.keys(part)) set(copy, key, copied(Reflect.get(part, key)));
  }
  return whole;
}

/** Assigning `__proto__` would change what the copy inherits, and what it inherits may be frozen. */
function set(copy: object, key: string, value: unknown): void {
  if (key in copy) Object.defineProperty(copy, key, { ...plain, value });
  else Reflect.set(copy, key, value);
}

/** True when both say the same; a property that is undefined says nothing. */
export function saysTheSame(one: unknown, other: unknown): boolean {
  const compared = new Map<object, object>();
  const todo: (readonly [unknown, unknown])[] = [];
  const add = (left: unknown, right: unknown): void => {
    // Most of it: a pair of each takes longer than to look.
    if (!Object.is(left, right)) todo.push([left, right]);
  };
  add(one, other);
  for (let pair = todo.pop(); pair !== undefined; pair = todo.pop()) {
    const [left, right] = pair;
    if (!isStructure(left) || !isStructure(right)) {
      if (!isAlikeInJson(left, right)) return false;
      continue;
    }
    if (compared.get(left) === right) continue;
    compared.set(left, right);
    if (Array.isArray(left) !== Array.isArray(right)) return false;
    addParts(left, right, add);
  }
  return true;
}

function addParts(left: object, right: object, add: (left: unknown, right: unknown) => void): void {
  if (Array.isArray(left) && Array.isArray(right)) {
    const most = Math.max(left.length, right.length);
    for (let n = 0; n < most; n += 1) add(left[n], right[n]);
    return;
  }
  for (const key of Object.keys(left)) add(Reflect.get(left, key), own(right, key));
  for (const key of Object.keys(right))
    if (!Object.hasOwn(left, key)) add(undefined, Reflect.get(right, key));
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
