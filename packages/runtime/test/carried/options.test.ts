/** Options of an actor whose code is elsewhere: each one arrives as it was given, or is refused by name. */
import { actor } from "@troupe/runtime";
import { expect, test } from "vitest";
import { describeCarried } from "../../src/actor/behaviour.ts";
import { defaultOptions, parseOptions } from "../../src/actor/options.ts";
import { Guest } from "../../src/guest/guest.ts";
import type { CarriedDeclaration } from "../../src/ports/carried.ts";
import { rejection } from "../driver/watch.ts";
import { World } from "../driver/world.ts";

const withoutEffect = [
  "stateSaveInterval",
  "connectionLivenessTimeout",
  "connectionLivenessInterval",
  "onDestroyTimeout",
  "waitUntilTimeout",
  "preloadMaxWorkflowBytes",
  "preloadMaxConnectionsBytes",
];

const later = ["enableActorRuntimeSocket"];

/** A value that is not the default. */
function other(value: unknown): unknown {
  // As actors whose code is elsewhere have it.
  if (value === undefined) return false;
  if (typeof value === "boolean") return !value;
  if (value === "parallel") return "serial";
  return typeof value === "number" ? value + 7 : "x";
}

/** What the code declares, as it is at the other end of a wire. */
function declared(options: Readonly<Record<string, unknown>>): CarriedDeclaration {
  const definition = Reflect.apply(actor, undefined, [{ options, actions: {} }]);
  const guest = new Guest({ env: new World(), use: { it: definition }, send: () => {} });
  const [declaration] = guest.declarations;
  if (declaration === undefined) throw new Error("the guest declares its actor");
  return JSON.parse(JSON.stringify(declaration));
}

test.each(Object.entries({ ...defaultOptions, name: "a name", icon: "🎭" }))(
  "S2.6 (in part) %s arrives",
  (name, value) => {
    const given = { [name]: other(value) };
    const { options } = describeCarried(declared(given));
    expect(options).toEqual(parseOptions(given).options);
    expect(options).toMatchObject(given);
  },
);

test("S2.6 (in part) a time without end arrives as the longest there is", () => {
  const { options } = describeCarried(declared({ actionTimeout: Infinity }));
  expect(options.actionTimeout).toBe(Number.MAX_SAFE_INTEGER);
});

test.each(withoutEffect)("S2.6 (in part) %s, which does nothing, is named at the other end", (name) => {
  expect(describeCarried(declared({ [name]: 1 })).ignoredOptions).toEqual([name]);
});

test.each(later)("S2.6 (in part) %s, of a later version, is refused by name on both ends", async (name) => {
  expect(await rejection(Promise.resolve().then(() => declared({ [name]: 1 })))).toBe(
    "config.unsupported_option",
  );
  const declaration = { ...declared({}), options: { [name]: 1 } };
  expect(await rejection(Promise.resolve().then(() => describeCarried(declaration)))).toBe(
    "config.unsupported_option",
  );
});

test.each([true, () => true])(
  "S2.5 canHibernateWebSocket: %s is refused by name where the code can't leave its sockets to its next activation",
  async (value) => {
    const given = { canHibernateWebSocket: value };
    const declaration = { ...declared({}), options: given, hibernation: false };
    expect(describeCarried({ ...declaration, hibernation: true }).options).toMatchObject(given);
    expect(await rejection(Promise.resolve().then(() => describeCarried(declaration)))).toBe(
      "config.unsupported_option",
    );
  },
);

test("S2.6 (in part) one that nobody knows is refused by name on both ends", async () => {
  expect(await rejection(Promise.resolve().then(() => declared({ noSleeep: true })))).toBe(
    "config.unknown_option",
  );
  const declaration = { ...declared({}), options: { noSleeep: true } };
  expect(await rejection(Promise.resolve().then(() => describeCarried(declaration)))).toBe(
    "config.unknown_option",
  );
});
