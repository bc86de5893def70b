/** Kinds of actors: a union in one place, behind one interface without a method that throws by design. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { Catalogue } from "../../src/engine/catalogue.ts";
import { Access } from "../../src/gateway/access.ts";
import { handleFetch } from "../../src/gateway/fetch-handler.ts";
import { Gateway } from "../../src/gateway/gateway.ts";
import { ActorHost } from "../../src/host/actor-host.ts";
import { memoryCatalogue } from "../../src/ports/catalogue-file.ts";
import type {
  ActionCall,
  ActorConnection,
  ActorInstance,
  ConnectRequest,
  InstanceFactory,
  InstanceOpen,
  InstanceReport,
} from "../../src/ports/instance.ts";
import { MemoryDirectory } from "../../src/ports/memory/directory.ts";
import { MemoryStorage } from "../../src/ports/memory/storage.ts";
import type { RawRequest } from "../../src/ports/raw.ts";
import { RemoteHosts } from "../../src/remote/remote-hosts.ts";
import { TestSocket } from "../driver/socket.ts";
import { World } from "../driver/world.ts";

const source = fileURLToPath(new URL("../../src", import.meta.url));

/** A kind that the house has never heard of: it says what it was told, whatever the way. */
class Parrot implements ActorInstance {
  readonly record: InstanceOpen["record"];
  readonly generation: InstanceOpen["generation"];
  readonly accepting = true;
  readonly doomed = false;
  #connections = 0;

  constructor({ record, generation }: InstanceOpen) {
    this.record = record;
    this.generation = generation;
  }

  action({ name, args, reply }: ActionCall): void {
    reply.ok([name, ...args]).release();
  }

  async connect(request: ConnectRequest): Promise<ActorConnection> {
    this.#connections += 1;
    const connection: ActorConnection = {
      id: `parrot ${this.#connections}`,
      maxIncomingBytes: 1_000,
      maxOutgoingBytes: 1_000,
      emit: (output) => output.release(),
      subscribe: (_, answer) => answer.done({}).release(),
      unsubscribe: () => {},
      closed: () => {},
    };
    request.opened?.(connection).release();
    return connection;
  }

  open(request: RawRequest): void {
    if (request.kind === "socket") {
      request.opened({
        maxIncomingBytes: 1_000,
        message: (data) => request.peer.send(data),
        closed: () => {},
      });
    } else {
      request.opened({ credit: () => {}, cancel: () => {} });
      request.peer.head({ status: 200, headers: [["content-type", "text/plain"]] });
      request.peer.chunk(
        new TextEncoder().encode(`${request.head.method} ${new URL(request.head.url).pathname}`),
      );
      request.peer.end();
    }
  }

  settled(): Promise<void> {
    return Promise.resolve();
  }

  stop(): Promise<void> {
    return Promise.resolve();
  }

  report(): InstanceReport {
    const counts = { connections: this.#connections, actionsInFlight: 0, alarmAt: null };
    return { phase: "running", awakeReasons: [], clients: [], ...counts };
  }
}

test("S2.1 a new kind of actor is one factory: actions, connections, HTTP and raw sockets reach it, and no gateway file was touched", async () => {
  const env = new World();
  const storage = new MemoryStorage({ env, onFatal: () => {} });
  const directory = new MemoryDirectory({ env, forget: (id) => storage.forget(id) });
  const parrots: InstanceFactory = { open: (request) => new Parrot(request) };
  const host = new ActorHost({ env, directory, storage, factories: new Map([["parrot", parrots]]) });
  await host.start();
  const catalogue = new Catalogue(env, memoryCatalogue());
  const gateway = new Gateway({
    ...{ env, host, namespaces: catalogue, app: undefined, inspector: undefined },
    access: new Access({}, env.crypto, "off"),
    hosts: new RemoteHosts({ env, catalogue, config: undefined }),
    failure: () => undefined,
  });
  const at = (path: string, init?: RequestInit) =>
    handleFetch(gateway, new Request(`http://127.0.0.1/actor/parrot/${path}`, init));
  const called = await at("action/say", { method: "POST", body: '{"args":["hello"]}' });
  expect(await called.json()).toMatchObject({ output: ["say", "hello"] });
  expect(await (await at("request/a/b")).text()).toBe("GET /a/b");
  const socket = new TestSocket(env, gateway, "/actor/parrot/connect").hello().action(1, "say", "again");
  await env.until(() => socket.story.length === 2);
  expect(socket.story).toEqual(["welcome", 'reply 1 ["say","again"]']);
  await host.stop();
});

test("S2.1 no method of an instance throws by design, and nothing outside of one switch asks which kind an actor is", () => {
  const files = readdirSync(source, { recursive: true, encoding: "utf8" }).filter((file) =>
    file.endsWith(".ts"),
  );
  const texts = new Map(files.map((file) => [file, readFileSync(join(source, file), "utf8")]));
  const instances = [...texts].filter(([, text]) =>
    /(?:implements [^{]*\bActorInstance|extends WatchedInstance)\b/.test(text),
  );
  expect(instances.length).toBeGreaterThanOrEqual(4);
  // A method whose whole body is a `throw`, or a promise that rejects.
  const throwing = /^ {2}(?:async )?\w+\([^\n]*\{\n {4}(?:throw |return Promise\.reject\()[^\n]*\n {2}\}/m;
  expect(instances.filter(([, text]) => throwing.test(text)).map(([file]) => file)).toEqual([]);
  const asking = [...texts]
    .filter(([, text]) => /switch \(behaviour\.kind\)/.test(text))
    .map(([file]) => file);
  expect(asking).toEqual(["registry/runtime.ts"]);
  const knowing = [...texts].filter(
    ([file, text]) =>
      file.startsWith("gateway/") &&
      /from "\.\.\/(?:actor|remote|guest)\/(?!.*remote-hosts)|behaviour/.test(text),
  );
  expect(knowing.map(([file]) => file)).toEqual([]);
});
