/** What an actor's code can reach from what it is given: the documented names, and nothing of the runtime behind them. */
import { actor, db } from "@troupe/runtime";
import { expect, test } from "vitest";
import { Driver } from "../driver/driver.ts";
import { RawClient } from "../driver/raw-client.ts";

/** Every name that JavaScript finds on a value, own or inherited. */
function namesOf(value: object): string[] {
  const names = new Set<string>();
  for (
    let at: object | null = value;
    at !== null && at !== Object.prototype;
    at = Object.getPrototypeOf(at)
  ) {
    for (const name of Reflect.ownKeys(at)) names.add(String(name));
  }
  names.delete("constructor");
  return [...names].sort();
}

const CONTEXT = [
  ...[
    "abortSignal",
    "aborted",
    "actorId",
    "awakeReasons",
    "broadcast",
    "broadcastUnconfirmed",
    "client",
    "exclusive",
    "conns",
  ],
  ...[
    "cron",
    "db",
    "destroy",
    "keepAwake",
    "key",
    "kv",
    "llm",
    "llmStream",
    "log",
    "mark",
    "metric",
    "name",
    "queue",
    "region",
    "runtimeSocket",
    "saveState",
    "schedule",
    "scope",
    "sleep",
  ],
  ...["snapshot", "state", "tool", "vars", "waitUntil", "workflows"],
];
const CALL = [...CONTEXT, "conn", "request"].sort();
const CONN = [
  "disconnect",
  "id",
  "isHibernatable",
  "isStateless",
  "params",
  "send",
  "sendUnconfirmed",
  "state",
];

const found = new Map<string, string[]>();
const curious = actor({
  state: { seen: 0 },
  db: db(),
  onWake: (c) => void found.set("hook", namesOf(c)),
  onConnect: (c, conn) => {
    found.set("onConnect", namesOf(c));
    found.set("conn of onConnect", namesOf(conn));
  },
  onWebSocket: (c, websocket) => {
    found.set("onWebSocket", namesOf(c));
    found.set("websocket", namesOf(websocket));
  },
  actions: {
    look: (c) => {
      found.set("action", namesOf(c));
      found.set("conn", namesOf(c.conn));
      found.set("schedule", namesOf(c.schedule));
      found.set("cron", namesOf(c.cron));
      found.set("kv", namesOf(c.kv));
      found.set("db", namesOf(c.db));
      found.set("queue", namesOf(c.queue));
      found.set("conns", namesOf(c.conns));
      for (const conn of c.conns.values()) found.set("one of conns", namesOf(conn));
    },
  },
});

test("contexts, connections, schedules, keys, queues, databases and sockets show their documented names and no others", async () => {
  await using driver = await Driver.start({ curious }, { databases: true });
  const conn = driver.client().curious.getOrCreate().connect();
  await conn.look();
  new RawClient(driver.world, driver.runtime.gateway, "/actor/curious/websocket");
  await driver.world.until(() => found.get("websocket") !== undefined);
  const sorted = [...CONTEXT].sort();
  expect(found.get("hook")).toEqual(sorted);
  for (const call of ["onConnect", "onWebSocket", "action"]) expect(found.get(call)).toEqual(CALL);
  for (const one of ["conn of onConnect", "conn", "one of conns"]) expect(found.get(one)).toEqual(CONN);
  expect(found.get("schedule")).toEqual(["after", "at", "cancel", "get", "list", "retry", "set"]);
  expect(found.get("cron")).toEqual(["delete", "every", "get", "history", "list", "set"]);
  const keys = ["batchDelete", "batchGet", "batchPut", "delete", "deleteRange", "get", "list", "listPrefix"];
  expect(found.get("kv")).toEqual([...keys, "listRange", "put"]);
  const taking = ["next", "nextBatch", "send", "tryNext", "tryNextBatch", "waitForAvailable", "waitForNames"];
  expect(found.get("queue")).toEqual(["complete", "deadLetters", "enqueueAndWait", "iter", ...taking]);
  expect(found.get("db")).toEqual(["batch", "execute", "transaction"]);
  const map = ["Symbol(Symbol.iterator)", "entries", "forEach", "get", "has", "keys", "size", "values"];
  expect(found.get("conns")).toEqual(map);
  const standard = [
    "CLOSED",
    "CLOSING",
    "CONNECTING",
    "OPEN",
    "addEventListener",
    "binaryType",
    "bufferedAmount",
  ];
  const events = [
    "onclose",
    "onerror",
    "onmessage",
    "onopen",
    "protocol",
    "readyState",
    "removeEventListener",
  ];
  expect(found.get("websocket")).toEqual([...standard, "close", "extensions", ...events, "send", "url"]);
});

test("c.conns is a view: the same connection each time, in the map's order, and nothing to change", async () => {
  let seen: unknown;
  const hall = actor({
    actions: {
      look: (c) => {
        const before = c.conns;
        const ids = [...c.conns.keys()];
        const listed: string[] = [];
        c.conns.forEach((conn, id) => void listed.push(conn.id === id ? id : "other"));
        const mine = c.conns.get(c.conn.id);
        seen = {
          size: c.conns.size,
          same: mine === c.conn && [...c.conns.values()].includes(c.conn) && before === c.conns,
          listed: listed.join() === ids.join() && [...c.conns].map(([id]) => id).join() === ids.join(),
          has: [c.conns.has(c.conn.id), c.conns.has("x")],
          changes: ["set", "delete", "clear"].filter((name) => name in c.conns),
        };
      },
    },
  });
  await using driver = await Driver.start({ hall });
  await driver.client().hall.getOrCreate().connect().look();
  const second = driver.client().hall.getOrCreate().connect();
  await second.look();
  expect(seen).toEqual({ size: 2, same: true, listed: true, has: [true, false], changes: [] });
});
