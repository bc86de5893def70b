import { TroupeError } from "@troupe/base";
import { limits } from "@troupe/protocol";
import { toCarriedError } from "@troupe/protocol/actor/v1";
import { expect, test } from "vitest";
import { declaredActor, opening, openScripted, ready } from "../support/scripted-carrier.ts";
import { settled, World } from "../support/world.ts";

test("the host says Hello with its versions and the configuration, and a Ready that holds opens the session", async () => {
  const world = new World();
  const start = opening(world);
  const carrier = await start.arrive();
  expect(carrier.sent).toEqual([
    {
      body: {
        $case: "hello",
        value: { versions: [1], hostVersion: "0.0.0", config: new Uint8Array([123, 125]) },
      },
    },
  ]);
  carrier.say(ready({ actors: [declaredActor("counter", '{"noSleep":true}')] }));
  const session = await start.promise;
  expect(session.declared).toMatchObject({
    name: "scripted",
    pluginVersion: "1.2.3",
    version: 1,
    encoding: "json",
  });
  expect(session.actor("counter").declaration).toEqual({
    name: "counter",
    actions: ["increment"],
    events: ["changed"],
    queues: [],
    options: { noSleep: true },
    connections: false,
    sockets: false,
    requests: false,
    database: false,
    startRows: true,
    guardedEvents: [],
    idempotency: false,
    serial: false,
    hibernation: false,
    optionsKept: [],
    consumed: [],
    deliveries: [],
    kept: false,
  });
  expect(session.open).toBe(true);
  expect(world.pendingTimers).toBe(0);
});

test("a plugin that refuses is told so with its own words, and nothing of it stays", async () => {
  const start = opening(new World());
  const carrier = await start.arrive();
  const why = new TroupeError("config", "bad_step", "step must be a number");
  carrier.say({ $case: "failed", value: { error: toCarriedError(why, "json") } });
  await settled();
  expect(carrier.closes).toBe(1);
  expect(start.session.state).toBe("pending");
  carrier.closed();
  await settled();
  expect(start.session.error).toMatchObject({
    group: "plugin",
    code: "refused",
    message: "The plugin refused to start: step must be a number",
    metadata: { group: "config", code: "bad_step" },
  });
});

const bad: readonly (readonly [string, Parameters<typeof ready>[0], string])[] = [
  ["another version", { version: 2 }, "plugin.version_unsupported"],
  ["no encoding", { encoding: 0 }, "plugin.encoding_unsupported"],
  ["no name", { name: "" }, "plugin.bad_declaration"],
  ["two actors of one name", { actors: [declaredActor("a"), declaredActor("a")] }, "plugin.bad_declaration"],
  [
    "a name that is too long",
    { actors: [declaredActor("a".repeat(limits.actorNameLength + 1))] },
    "plugin.bad_declaration",
  ],
  [
    "an encoding that isn't known",
    { actors: [{ ...declaredActor("a"), encoding: "xml" }] },
    "plugin.bad_declaration",
  ],
  ["options that aren't JSON", { actors: [declaredActor("a", "{")] }, "plugin.bad_declaration"],
  ["options that aren't an object", { actors: [declaredActor("a", "[]")] }, "plugin.bad_declaration"],
  [
    "options past the limit",
    { actors: [declaredActor("a", `{"x":"${"y".repeat(limits.pluginActorOptionsBytes)}"}`)] },
    "plugin.bad_declaration",
  ],
  [
    "more actors than the limit",
    { actors: Array.from({ length: limits.pluginActors + 1 }, (_, at) => declaredActor(`a${at}`)) },
    "plugin.bad_declaration",
  ],
  [
    "more actions than the limit",
    {
      actors: [
        {
          ...declaredActor("a"),
          actions: Array.from({ length: limits.pluginActorMembers + 1 }, (_, at) => `x${at}`),
        },
      ],
    },
    "plugin.bad_declaration",
  ],
  [
    "more middleware than the limit",
    {
      middleware: Array.from({ length: limits.pluginMiddleware + 1 }, (_, at) => ({
        kind: 1,
        name: `m${at}`,
        priority: 0,
      })),
    },
    "plugin.bad_declaration",
  ],
  [
    "middleware without a kind",
    { middleware: [{ kind: 0, name: "m", priority: 0 }] },
    "plugin.bad_declaration",
  ],
];

test.each(bad)("a Ready with %s is an error with its type", async (_, changes, code) => {
  const start = opening(new World());
  const carrier = await start.arrive();
  carrier.say(ready(changes));
  await settled();
  carrier.closed();
  await settled();
  expect(start.session.code).toBe(code);
});

test("a plugin that says nothing is closed when its time is up; one that arrives later as well", async () => {
  const world = new World();
  const silent = opening(world);
  const carrier = await silent.arrive();
  await world.pass(limits.pluginOpenTimeoutMs);
  carrier.closed();
  await settled();
  expect(silent.session.code).toBe("plugin.open_timed_out");

  const slow = opening(world);
  await world.pass(limits.pluginOpenTimeoutMs);
  expect(slow.session.code).toBe("plugin.open_timed_out");
  const late = await slow.arrive();
  expect(late.closes).toBe(1);
  late.closed();
  await settled();
  expect(world.pendingTimers).toBe(0);
});

test("a carrier that doesn't open, or ends before Ready, gives its own error", async () => {
  const why = new TroupeError("plugin", "library_missing", "no such file");
  const refused = opening(new World());
  await refused.refuse(why);
  expect(refused.session.error).toBe(why);

  const crashed = opening(new World());
  const carrier = await crashed.arrive();
  carrier.crash(why);
  carrier.closed();
  await settled();
  expect(crashed.session.error).toBe(why);
});

test("a first word that isn't Ready or Failed ends it, and so does one before Hello", async () => {
  const start = opening(new World());
  const carrier = await start.arrive();
  carrier.sayOf(1, { $case: "stopped", value: { connections: [], sockets: [] } });
  carrier.closed();
  await settled();
  expect(start.session.code).toBe("plugin.violation");
});

test("what comes right behind Ready is heard when the session is there", async () => {
  const world = new World();
  const start = opening(world);
  const carrier = await start.arrive();
  carrier.say({ $case: "log", value: { line: { level: 3, message: "old configuration" } } });
  carrier.say(ready());
  carrier.say({ $case: "log", value: { line: { level: 2, message: "warm" } } });
  await start.promise;
  expect(world.lines).toEqual(["warn old configuration", "info warm"]);
});

test("more frames than the limit before the session is there are a violation", async () => {
  const start = opening(new World());
  const carrier = await start.arrive();
  for (let at = 0; at <= limits.openingFrames; at += 1)
    carrier.say({ $case: "log", value: { line: { level: 2, message: "again" } } });
  carrier.closed();
  await settled();
  expect(start.session.code).toBe("plugin.violation");
});

test("an actor that wasn't declared isn't there", async () => {
  const { session } = await openScripted(new World());
  expect(() => session.actor("other")).toThrow(/no actor "other"; it has counter/);
});
