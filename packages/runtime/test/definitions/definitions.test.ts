/** Definitions: refused by name when they aren't one, known whole, and frozen. */
import { actor, event, setup } from "@troupe/runtime";
import { expect, test } from "vitest";
import { defaultOptions } from "../../src/actor/options.ts";
import { codeOf } from "../driver/watch.ts";

type Loose = (config: object) => {
  descriptor: {
    options: object;
    ignoredOptions: readonly string[];
    actions: readonly string[];
    events: readonly string[];
  };
  behaviour: object;
};
const define: Loose = (config) => Reflect.apply(actor, undefined, [config]);

function circleWith(f: unknown): object {
  const circle: Record<string, unknown> = {};
  circle["self"] = circle;
  circle["f"] = f;
  return circle;
}

const anySchema = {
  "~standard": { version: 1, vendor: "by-hand", validate: (value: unknown) => ({ value }) },
};

test.each([null, undefined, 1, "counter"])("actor(%j) is refused by name", (given) => {
  expect(() => Reflect.apply(actor, undefined, [given])).toThrow(
    expect.objectContaining({ group: "config", code: "invalid_option" }),
  );
});

const refused: readonly (readonly [string, object, string, string])[] = [
  ["a typo in a key", { onCreat: () => {} }, "config.unknown_key", 'Did you mean "onCreate"?'],
  ["a typo in state", { stat: {} }, "config.unknown_key", 'Did you mean "state"?'],
  ["a key that is near nothing", { bananas: 1 }, "config.unknown_key", '"bananas"'],
  [
    "a typo in an option",
    { options: { sleepTimout: 1 } },
    "config.unknown_option",
    'Did you mean "sleepTimeout"?',
  ],
  ["an option that is near nothing", { options: { bananas: 1 } }, "config.unknown_option", '"bananas"'],
  ["state and createState", { state: {}, createState: () => ({}) }, "config.both_given", "createState"],
  ["vars and createVars", { vars: {}, createVars: () => ({}) }, "config.both_given", "createVars"],
  [
    "connState and createConnState",
    { connState: {}, createConnState: () => ({}) },
    "config.both_given",
    "createConnState",
  ],
  ["a hook that is no function", { onWake: {} }, "config.invalid_option", "onWake"],
  ["a run that is none", { run: { runs: () => {} } }, "config.invalid_option", "run"],
  ["actions that are none", { actions: { a: 1 } }, "config.invalid_option", "actions.a"],
  ["a name that is too long", { actions: { ["a".repeat(257)]: () => 1 } }, "config.invalid_option", "256"],
  [
    "an action that every object has",
    { actions: { toString: () => 1 } },
    "config.reserved_action",
    '"toString"',
  ],
  [
    "a group that every object has",
    { actions: { constructor: { a: () => 1 } } },
    "config.reserved_action",
    '"constructor"',
  ],
  [
    "an action that JSON.stringify asks for",
    { actions: { a: { toJSON: () => 1 } } },
    "config.reserved_action",
    '"a.toJSON"',
  ],
  [
    "an action that functions have",
    { actions: { a: { call: () => 1 } } },
    "config.reserved_action",
    '"call"',
  ],
  [
    "a getter that throws",
    {
      get state(): object {
        throw new Error("no");
      },
    },
    "config.invalid_option",
    '"state" can\'t be read',
  ],
  ["events that are none", { events: 1 }, "config.invalid_option", "events"],
  ["options that are none", { options: 1 }, "config.invalid_option", "options"],
  ["a negative time", { options: { actionTimeout: -1 } }, "config.invalid_option", "actionTimeout"],
  ["half a message", { options: { maxQueueSize: 1.5 } }, "config.invalid_option", "a whole number"],
  [
    "a message without end",
    { options: { maxIncomingMessageSize: 1e12 } },
    "config.invalid_option",
    "at most",
  ],
  [
    "a time that is NaN",
    { options: { actionTimeout: Number.NaN } },
    "config.invalid_option",
    "actionTimeout",
  ],
  ["a time as text", { options: { actionTimeout: "5s" } }, "config.invalid_option", "actionTimeout"],
  ["a boolean as a number", { options: { noSleep: 1 } }, "config.invalid_option", "noSleep"],
  ["a name that is no text", { options: { name: 5 } }, "config.invalid_option", "name"],
  ["a function in the state", { state: { a: { f: () => 1 } } }, "config.invalid_value", "state.a.f"],
  ["a state that is no object", { state: 5 }, "config.invalid_value", "plain object"],
  ["a state that is a list", { state: [1] }, "config.invalid_value", "plain object"],
  [
    "an object of a class in the state",
    { state: { at: new URL("a:b") } },
    "config.invalid_value",
    "state.at",
  ],
  [
    "a function in the connection state",
    { connState: { a: [{ f: () => 1 }] } },
    "config.invalid_value",
    "connState.a.0.f",
  ],
  ["a promise in the vars", { vars: { later: Promise.resolve() } }, "config.invalid_value", "vars.later"],
  ["vars that are a function", { vars: () => 1 }, "config.invalid_value", '"vars"'],
  ["a circle with a function in it", { vars: circleWith(() => 1) }, "config.invalid_value", "vars.f"],
  [
    "a schema of no action",
    { actions: { order: () => 1 }, actionInputSchemas: { odrer: anySchema } },
    "config.unknown_key",
    'Did you mean "order"',
  ],
  [
    "a schema of a group of actions",
    { actions: { admin: { reset: () => 1 } }, actionInputSchemas: { admin: anySchema } },
    "config.unknown_key",
    "admin",
  ],
  [
    "two schemas of one action",
    {
      actions: { admin: { reset: () => 1 } },
      actionInputSchemas: { admin: { reset: anySchema }, "admin.reset": anySchema },
    },
    "config.both_given",
    "admin.reset",
  ],
  [
    "what is no schema",
    { actions: { order: () => 1 }, actionInputSchemas: { order: 5 } },
    "config.invalid_option",
    "actionInputSchemas.order",
  ],
  ["schemas that are no object", { actionInputSchemas: 5 }, "config.invalid_option", "actionInputSchemas"],
  [
    "a schema of another version",
    { connParamsSchema: { "~standard": { version: 2, vendor: "x", validate: () => ({ value: 1 }) } } },
    "config.invalid_option",
    "connParamsSchema",
  ],
  [
    "a concurrency of another kind",
    { options: { concurrency: "one" } },
    "config.invalid_option",
    '"parallel" or "serial"',
  ],
  [
    "__proto__ as an option",
    { options: JSON.parse('{"__proto__":{}}') as object },
    "config.unknown_option",
    "__proto__",
  ],
];

for (const [name, config, code, text] of refused) {
  test(`${name} is refused: ${code}`, () => {
    let caught: unknown;
    try {
      define(config);
    } catch (error) {
      caught = error;
    }
    expect(codeOf(caught)).toBe(code);
    expect(String(caught)).toContain(text);
  });
}

for (const key of ["inspector"]) {
  test(`S3.1 (in part): ${key} is refused by its name, not dropped`, () => {
    expect(() => define({ [key]: {} })).toThrow(new RegExp(`"${key}" is not in this version`));
  });
}

for (const key of ["enableActorRuntimeSocket"]) {
  test(`S3.1 (in part): options.${key} is refused by its name, not dropped`, () => {
    expect(() => define({ options: { [key]: 1 } })).toThrow(new RegExp(`"${key}" is not in this version`));
  });
}

test("S2.6 (in part): every option is taken over whole, and those without an effect are listed", () => {
  const noOps = {
    stateSaveInterval: 1,
    connectionLivenessTimeout: 1,
    connectionLivenessInterval: 1,
    onDestroyTimeout: 1,
    waitUntilTimeout: 1,
    preloadMaxWorkflowBytes: 1,
    preloadMaxConnectionsBytes: 1,
  };
  const given = Object.fromEntries(
    Object.entries(defaultOptions).map(([name, value]) => [
      name,
      typeof value === "number" ? value + 1 : value === "parallel" ? "serial" : !value,
    ]),
  );
  const { descriptor } = define({
    options: { ...given, name: "A name", icon: "🐝", ...noOps, actionTimeout: undefined },
  });
  expect(descriptor.options).toEqual({
    ...given,
    actionTimeout: defaultOptions.actionTimeout,
    name: "A name",
    icon: "🐝",
  });
  expect([...descriptor.ignoredOptions].sort()).toEqual(Object.keys(noOps).sort());
});

test("S1.5 (in part): a definition can't be exchanged from outside", () => {
  const config = {
    state: { n: 1 },
    events: { x: event<number>() },
    actions: { get: () => 1 },
    options: { actionTimeout: 5 },
  };
  const definition: object = define(config);
  const { descriptor, behaviour } = definition as {
    descriptor: Record<string, unknown>;
    behaviour: Record<string, unknown>;
  };
  for (const target of [
    definition,
    descriptor,
    behaviour,
    descriptor.options,
    descriptor.actions,
    descriptor.events,
    behaviour.hooks,
    behaviour.actions,
    behaviour.state,
  ]) {
    expect(Object.isFrozen(target)).toBe(true);
  }
  (config.actions as Record<string, unknown>)["get"] = () => "hijacked";
  (config.options as Record<string, unknown>)["actionTimeout"] = 1;
  expect((behaviour.actions as { get(name: string): (() => unknown) | undefined }).get("get")?.()).toBe(1);
  expect(descriptor.options).toMatchObject({ actionTimeout: 5 });
  expect(() => {
    (behaviour.actions as Map<string, unknown>).set("get", () => "hijacked");
  }).toThrow();
  const registry = setup({ use: { a: definition as never } });
  expect(() => Object.assign(registry.config.use, { a: undefined })).toThrow(TypeError);
});

test("setup: unknown keys with the nearest name, names that can't be one, what is no definition", () => {
  const make = (config: object): unknown => Reflect.apply(setup, undefined, [config]);
  const code = (config: object): string => {
    try {
      make(config);
      return "ok";
    } catch (error) {
      return codeOf(error);
    }
  };
  expect(() => make({ use: {}, allowedHost: [] })).toThrow('Did you mean "allowedHosts"?');
  expect(code({ use: {}, bananas: 1 })).toBe("config.unknown_key");
  expect(code({ use: { a: {} } })).toBe("config.invalid_option");
  expect(code({ use: { a: undefined } })).toBe("config.invalid_option");
  expect(code({ use: { "": define({}) } })).toBe("name.malformed");
  expect(code({ use: { ["n".repeat(65)]: define({}) } })).toBe("name.malformed");
  expect(code({ use: { a: define({}) } })).toBe("ok");
});

test.each([
  ["endpoint", "http://127.0.0.1:6420", "start()"],
  ["namespace", "prod", "namespaces"],
  ["headers", {}, "handler()"],
  ["engineHost", "127.0.0.1", "start()"],
  ["enginePort", 1, "start()"],
  ["startServices", true, "start()"],
  ["configurePool", {}, "handler()"],
  ["envoy", {}, "start()"],
  ["serverless", {}, "handler()"],
  ["wasm", {}, "troupe/plugins"],
  ["logging", { level: "warn" }, "TROUPE_LOG"],
  ["httpPort", 8080, "start()"],
  ["httpHost", "127.0.0.1", "start()"],
  ["httpBasePath", "/actors", "endpoint"],
  ["staticDir", "public", "setup({ fetch })"],
  ["shutdown", {}, "stop()"],
  ["maxIncomingMessageSize", 5, "actor({ options })"],
  ["maxOutgoingMessageSize", 5, "actor({ options })"],
])("setup: RivetKit's key %s is refused, and the error names what takes its place", (key, value, named) => {
  const make = (): unknown => Reflect.apply(setup, undefined, [{ use: {}, [key]: value }]);
  expect(make).toThrow(expect.objectContaining({ group: "config", code: "unsupported_key" }));
  expect(make).toThrow(named);
});

test("vars and connection state may hold what is never stored: circles, and whatever can be cloned", () => {
  const circle = circleWith(new Map([[new Date(0), 1]]));
  expect(() => define({ vars: circle, connState: circle })).not.toThrow();
});

test("state, vars and connState that are given as values are copied for each actor and connection", async () => {
  const mine = { list: [1] };
  const definition = actor({ state: mine, vars: mine, connState: mine, actions: {} });
  expect(definition.behaviour).toMatchObject({ state: { kind: "value" }, plainConnections: true });
});
