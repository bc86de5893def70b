/** A host that loses its connection and comes back: its actors go on where they were, and nothing is lost or done twice. */
import { limits } from "@troupe/protocol";
import type { HostResume } from "@troupe/protocol/host/v1";
import { actor, event } from "@troupe/runtime";
import { expect, test } from "vitest";
import type { Message } from "../../src/ports/transport.ts";
import { remoteActor } from "../../src/remote/remote-actor.ts";
import { Driver } from "../driver/driver.ts";
import { type Watched, watch } from "../driver/watch.ts";
import { macrotask } from "../driver/world.ts";
import { SpokenHost, startHost } from "./host.ts";

/** Keeps in memory how often it was called: another activation begins at 0. */
const counter = actor({
  state: { count: 0 },
  vars: { called: 0 },
  events: { changed: event<number>() },
  actions: {
    increment: (c, by: number) => {
      c.state.count += by;
      c.vars.called += 1;
      c.broadcast("changed", c.state.count);
      return [c.state.count, c.vars.called];
    },
    held: async (c, by: number) => {
      c.state.count += by;
      await gate.promise;
      c.state.count += by;
      c.broadcast("changed", c.state.count);
      return c.state.count;
    },
  },
});

let gate = Promise.withResolvers<void>();

async function engine() {
  gate = Promise.withResolvers<void>();
  const driver = await Driver.start({ counter: remoteActor<typeof counter>() }, { hostToken: "secret" });
  const hosts = () => driver.runtime.hosts;
  const host = () => startHost({ world: driver.world, hosts, use: { counter } });
  return { driver, hosts, host };
}

test("a host that comes back keeps its actors; what was said on both sides meanwhile arrives, once and in order", async () => {
  const { driver, host } = await engine();
  await using _ = driver;
  const { client, links } = host();
  await driver.world.idle();
  const socket = driver.socket("/actor/counter/connect").hello().subscribe(1, "changed");
  await driver.world.idle();
  expect(await driver.act("counter", "increment", 1)).toMatchObject({ output: [1, 1] });
  const held = watch(driver.act("counter", "held", 10));
  await driver.world.idle();
  links[0]?.break();
  await driver.world.pass(1);
  gate.resolve();
  const during = watch(driver.act("counter", "increment", 1));
  await driver.world.pass(10);
  expect([held.state, during.state, client.size]).toEqual(["pending", "pending", 1]);
  await driver.world.pass(100);
  // The engine's words and the host's cross on the new link: the one that waited was said first.
  expect(held.value).toMatchObject({ output: 21 });
  expect(during.value).toMatchObject({ output: [22, 2] });
  expect([links.length, client.size]).toEqual([2, 1]);
  expect(socket.story).toEqual([
    ...["welcome", "subscribed 1", "event changed [1]"],
    ...["event changed [21]", "event changed [22]"],
  ]);
  await driver.crash();
  startHost({ world: driver.world, hosts: () => driver.runtime.hosts, use: { counter } });
  await driver.world.idle();
  expect(await driver.act("counter", "increment", 0)).toMatchObject({ output: [22, 1] });
});

test("S3.6 past the bound a host is given up: a call that was sent may have been done, one that never was is safe to repeat", async () => {
  const { driver, hosts, host } = await engine();
  await using _ = driver;
  const { client, links } = host();
  await driver.world.idle();
  const socket = driver.socket("/actor/counter/connect").hello();
  await driver.world.idle();
  await driver.act("counter", "increment", 1);
  const sent = watch(driver.act("counter", "held", 10));
  await driver.world.idle();
  // The engine doesn't let it in again.
  hosts().accept = () => {};
  links[0]?.break();
  await driver.world.pass(1);
  const never = watch(driver.act("counter", "increment", 1));
  socket.action(1, "increment", 100);
  await driver.world.pass(limits.hostResumeMs - 10);
  expect([sent.state, never.state, client.size]).toEqual(["pending", "pending", 1]);
  await driver.world.pass(20);
  expect(sent.value).toMatchObject({ status: 502, code: "host.lost", error: { retryable: false } });
  expect(never.value).toMatchObject({ status: 503, code: "host.not_sent", error: { retryable: true } });
  expect([socket.story, client.size]).toEqual([["welcome", "error 1 host.not_sent"], 0]);
  Reflect.deleteProperty(hosts(), "accept");
  host();
  await driver.world.idle();
  // The half of the call that was done was written; nothing of those that never left.
  expect(await driver.act("counter", "increment", 0)).toMatchObject({ output: [11, 1] });
});

test("a host whose time ends between its Hello and the Welcome begins anew, and the engine knows it", async () => {
  const { driver, hosts, host } = await engine();
  await using _ = driver;
  const { client, links } = host();
  await driver.world.idle();
  expect(await driver.act("counter", "increment", 1)).toMatchObject({ output: [1, 1] });
  // The engine hears all at once; what it says on the next link stays under way.
  const held: (() => void)[] = [];
  const { accept } = hosts();
  hosts().accept = (far) => {
    Reflect.deleteProperty(hosts(), "accept");
    const send = far.send.bind(far);
    accept.call(hosts(), Object.assign(far, { send: (data: Message) => void held.push(() => send(data)) }));
  };
  links[0]?.break();
  await driver.world.pass(limits.hostResumeMs - 10);
  expect([hosts().list()[0]?.state, client.size, links.length]).toEqual(["open", 1, 2]);
  await driver.world.pass(20);
  expect(client.size).toBe(0);
  for (const arrive of held) arrive();
  await driver.world.pass(500);
  expect(await driver.act("counter", "increment", 1)).toMatchObject({ output: [2, 1] });
  expect(
    hosts()
      .list()
      .map(({ state }) => state),
  ).toEqual(["open"]);
  // The next cut is one like any other.
  links.at(-1)?.break();
  await driver.world.pass(500);
  expect(await driver.act("counter", "increment", 1)).toMatchObject({ output: [3, 2] });
  expect(client.refusal).toBeUndefined();
});

test("a session that the engine refuses to take up isn't the host's end: the host comes anew", async () => {
  const { driver, hosts, host } = await engine();
  await using _ = driver;
  const { client, links } = host();
  await driver.world.idle();
  expect(await driver.act("counter", "increment", 1)).toMatchObject({ output: [1, 1] });
  const [{ hostId = "" } = {}] = hosts().list();
  // Somebody else has its session, as a copy of its machine would.
  const resume = { hostId, epoch: 9, received: 2, forgotten: 0 };
  const copy = new SpokenHost(driver.world, hosts()).hello({ resumes: true, resume });
  await driver.world.pass(500);
  expect(copy.heard[0]).toMatchObject({ $case: "welcome", value: { resumed: true, hostId } });
  expect([links.length, client.size, client.refusal]).toEqual([3, 0, undefined]);
  expect(
    hosts()
      .list()
      .map(({ state }) => state),
  ).toEqual(["open", "open"]);
  const over = watch(client.over);
  await driver.world.pass(5_000);
  expect(over.state).toBe("pending");
  expect(await driver.act("counter", "increment", 1)).toMatchObject({ output: [2, 1] });
});

test("links that break at any message lose nothing, and do nothing twice", async () => {
  const { driver, host } = await engine();
  await using _ = driver;
  const { client, links } = host();
  await driver.world.idle();
  const socket = driver.socket("/actor/counter/connect").hello().subscribe(1, "changed");
  await driver.world.idle();
  const calls: Watched<unknown>[] = [];
  for (let round = 0; round < 60; round += 1) {
    for (let call = 0; call < 5; call += 1) calls.push(watch(driver.act("counter", "increment", 1)));
    // One macrotask more in each round: so every message is some time the one that is lost.
    for (let turn = 0; turn < round % 12; turn += 1) await macrotask();
    links.at(-1)?.break();
    await driver.world.pass(150);
  }
  await driver.world.pass(500);
  const numbers = Array.from({ length: 300 }, (_, index) => index + 1);
  const outputs = calls.map(({ value }) => (value as { output: [number, number] }).output);
  expect(outputs.toSorted((a, b) => a[0] - b[0])).toEqual(numbers.map((number) => [number, number]));
  expect(socket.story.slice(2)).toEqual(numbers.map((number) => `event changed [${number}]`));
  expect([links.length, client.size]).toEqual([61, 1]);
});

test("S3.7 (in part): of a session's links only the newest counts; one that was dialled earlier is refused", async () => {
  const { driver, hosts } = await engine();
  await using _ = driver;
  const first = new SpokenHost(driver.world, hosts()).hello({ resumes: true });
  await driver.world.idle();
  const welcome = first.heard[0];
  const hostId = welcome?.$case === "welcome" ? welcome.value.hostId : "";
  const resume = (epoch: number): HostResume => ({ hostId, epoch, received: 0, forgotten: 0 });
  // The engine hasn't noticed that the first link is lost.
  const third = new SpokenHost(driver.world, hosts()).hello({ resumes: true, resume: resume(3) });
  await driver.world.idle();
  expect(third.heard[0]).toMatchObject({ $case: "welcome", value: { resumed: true, hostId } });
  expect(first.closed).toMatchObject({ reason: "host.superseded" });
  const second = new SpokenHost(driver.world, hosts()).hello({ resumes: true, resume: resume(2) });
  await driver.world.idle();
  expect(second.closed).toMatchObject({ code: 1008, reason: "host.superseded" });
  expect([third.closed, hosts().size]).toEqual([undefined, 1]);
});

test("a session whose messages aren't all there any more isn't resumed: the host is a new one, and its actors start anew", async () => {
  const { driver, hosts } = await engine();
  await using _ = driver;
  const first = new SpokenHost(driver.world, hosts()).hello({ resumes: true });
  await driver.world.idle();
  const welcome = first.heard[0];
  const hostId = welcome?.$case === "welcome" ? welcome.value.hostId : "";
  // It has forgotten a message that the engine never got; it says that it has read what was never sent.
  for (const lie of [
    { received: 0, forgotten: 1 },
    { received: 9, forgotten: 0 },
  ]) {
    const next = new SpokenHost(driver.world, hosts());
    next.hello({ resumes: true, resume: { hostId, epoch: 7, ...lie } });
    await driver.world.idle();
    expect(next.heard[0]).toMatchObject({ $case: "welcome", value: { resumed: false } });
  }
});

test("a host whose token is for another place takes up nobody's session, whatever it says", async () => {
  const tokens = [
    { token: "of default", pool: "default" },
    { token: "of other", pool: "other" },
  ];
  await using driver = await Driver.start({ counter: remoteActor<typeof counter>() }, { hosts: { tokens } });
  const hosts = () => driver.runtime.hosts;
  startHost({ world: driver.world, hosts, use: { counter }, token: "of default" });
  await driver.world.idle();
  expect(await driver.act("counter", "increment", 1)).toMatchObject({ output: [1, 1] });
  const [victim] = hosts().list();
  const resume = { hostId: victim?.hostId ?? "", epoch: 9, received: 0, forgotten: 0 };
  const say = (token: string, pool: string) =>
    new SpokenHost(driver.world, hosts()).hello({ token, pool, resumes: true, resume });
  const [liar, thief] = [say("of other", "default"), say("of other", "other")];
  await driver.world.idle();
  expect(liar.closed).toMatchObject({ reason: "host.not_allowed" });
  expect(thief.heard[0]).toMatchObject({ $case: "welcome", value: { resumed: false } });
  expect(thief.words()).toEqual([]);
  // The session is where it was, and so is its actor.
  expect(await driver.act("counter", "increment", 1)).toMatchObject({ output: [2, 2] });
});
