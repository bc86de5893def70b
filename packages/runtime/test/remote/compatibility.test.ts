/**
 * Old and new, on both sides. Version 2 is frozen and exists here alone: it is version 1, and `drain` and `stop` came
 * with it.
 */

import { TroupeError } from "@troupe/base";
import { actor, event } from "@troupe/runtime";
import { expect, test } from "vitest";
import { Catalogue } from "../../src/engine/catalogue.ts";
import { memoryCatalogue } from "../../src/ports/catalogue-file.ts";
import {
  agree,
  checkMessage,
  type HostProtocol,
  hostProtocol,
  ProtocolCompatibilityError,
} from "../../src/remote/compatibility.ts";
import { remoteActor } from "../../src/remote/remote-actor.ts";
import { RemoteHosts } from "../../src/remote/remote-hosts.ts";
import { Driver } from "../driver/driver.ts";
import { World } from "../driver/world.ts";
import { startHost } from "./host.ts";

const newer: HostProtocol = Object.freeze({
  versions: [1, 2],
  introduced: {
    host_to_engine: { ...hostProtocol.introduced.host_to_engine, drain: 2 },
    engine_to_host: { ...hostProtocol.introduced.engine_to_host, stop: 2 },
  },
});

const newerOnly: HostProtocol = Object.freeze({ ...newer, versions: [2] });

const use = { counter: actor({ actions: { hello: () => "hello" } }) };

async function meet(engine: HostProtocol, host: HostProtocol) {
  const world = new World();
  const hosts = new RemoteHosts({
    env: world,
    config: { token: "secret" },
    catalogue: new Catalogue(world, memoryCatalogue()),
    protocol: engine,
  });
  const { client } = startHost({ world, hosts: () => hosts, use, protocol: host });
  await world.idle();
  return { world, hosts, client };
}

function caught(run: () => void): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  return undefined;
}

test("S3.11: new engine, new host: they speak 2, and what came with it passes", async () => {
  const { client } = await meet(newer, newer);
  await client.ready;
  expect(caught(() => client.drain(1_000))).toBeUndefined();
  client.close();
});

test("S3.11: old engine, new host: they speak 1, and the host's newer message is refused before it is sent", async () => {
  const { client } = await meet(hostProtocol, newer);
  await client.ready;
  const error = caught(() => client.drain(1_000));
  expect(error).toBeInstanceOf(ProtocolCompatibilityError);
  expect(TroupeError.is(error) && error.metadata).toEqual({
    feature: "drain",
    direction: "host_to_engine",
    requiredVersion: 2,
    targetVersion: 1,
  });
  client.close();
});

test("S3.11: old engine, new host: an actor that says what the engine doesn't know ends by name, and the others go on", async () => {
  const talks = actor({
    state: { count: 0 },
    events: { said: event<number>() },
    actions: {
      increment: (c) => (c.state.count += 1),
      say: (c) => {
        c.state.count += 10;
        c.broadcast("said", c.state.count);
        return c.state.count;
      },
    },
  });
  const { host_to_engine } = hostProtocol.introduced;
  const introduced = { ...hostProtocol.introduced, host_to_engine: { ...host_to_engine, event: 2 } };
  await using driver = await Driver.start({ talks: remoteActor<typeof talks>() }, { hostToken: "secret" });
  const hosts = () => driver.runtime.hosts;
  const { client } = startHost({
    ...{ world: driver.world, hosts, use: { talks } },
    protocol: { versions: [1, 2], introduced },
  });
  await driver.world.idle();
  driver.socket("/actor/talks/connect?key=a").hello().subscribe(1, "said");
  for (const key of ["a", "b"])
    expect(await driver.act("talks", `increment?key=${key}`)).toMatchObject({ output: 1 });
  expect(await driver.act("talks", "say?key=a")).toMatchObject({
    status: 505,
    error: {
      group: "protocol",
      code: "incompatible",
      metadata: { feature: "event", direction: "host_to_engine", requiredVersion: 2, targetVersion: 1 },
    },
  });
  await driver.world.idle();
  expect(client.size).toBe(1);
  expect(await driver.act("talks", "increment?key=b")).toMatchObject({ output: 2 });
  // What it wrote before it is there: the call may have been done.
  expect(await driver.act("talks", "increment?key=a")).toMatchObject({ output: 12 });
  client.close();
});

test("S3.11: new engine, old host: they speak 1, and the engine's newer message fails that instance alone", async () => {
  const { hosts, client } = await meet(newer, hostProtocol);
  await client.ready;
  const carrier = await hosts.carrier({ namespace: "default", pool: "default", name: "counter" });
  const lost: TroupeError[] = [];
  const ear = { heard: () => {}, lost: (error: TroupeError) => void lost.push(error) };
  const one = carrier.connect(ear);
  carrier.connect({ ...ear });
  one.send({ $case: "stop", value: { reason: 1, graceMs: 0 } });
  expect(lost.map((error) => error.metadata)).toEqual([
    { feature: "stop", direction: "engine_to_host", requiredVersion: 2, targetVersion: 1 },
  ]);
  expect(carrier.open).toBe(true);
  client.close();
});

test("S3.11: an engine that has left version 1 behind refuses an old host by name, and the other way round", async () => {
  const old = await meet(newerOnly, hostProtocol);
  const refusal: unknown = await old.client.ready.catch((error: unknown) => error);
  expect(refusal).toMatchObject({
    code: "incompatible",
    message: expect.stringMatching(/upgrade the host$/),
    metadata: { feature: "hello", direction: "engine_to_host", requiredVersion: 2, targetVersion: 1 },
  });
  const young = await meet(hostProtocol, newerOnly);
  const refused: unknown = await young.client.ready.catch((error: unknown) => error);
  expect(refused).toMatchObject({
    code: "incompatible",
    message: expect.stringMatching(/upgrade the engine$/),
    metadata: { feature: "hello", direction: "host_to_engine", requiredVersion: 2, targetVersion: 1 },
  });
});

test("the newest version that both know is spoken", () => {
  expect(agree([1, 2, 3], [2, 3, 9])).toBe(3);
  expect(caught(() => checkMessage(hostProtocol, "host_to_engine", "drain", 1))).toBeUndefined();
});
