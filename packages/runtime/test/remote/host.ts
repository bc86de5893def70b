/** Remote hosts of a story: real ones in this process, and one that says exactly what the test says. */

import { CarriedStopReason, type ToActor } from "@troupe/protocol/actor/v1";
import {
  type EngineToHost,
  EngineToHostCodec,
  type HostResume,
  type HostToEngine,
  HostToEngineCodec,
} from "@troupe/protocol/host/v1";
import type { Relay } from "@troupe/relay";
import type { CarriedSqlOwner } from "../../src/actor/carried/carried-sql.ts";
import type { AnyActorDefinition } from "../../src/actor/definition.ts";
import { OutputGate } from "../../src/gate/output-gate.ts";
import { type MemoryLink, memoryLinks } from "../../src/ports/memory/transport.ts";
import type { HostProtocol } from "../../src/remote/compatibility.ts";
import { HostClient } from "../../src/remote/host-client.ts";
import type { RemoteHosts } from "../../src/remote/remote-hosts.ts";
import type { World } from "../driver/world.ts";

export interface HostOptions {
  readonly world: World;
  readonly hosts: () => RemoteHosts;
  readonly use: Readonly<Record<string, AnyActorDefinition>>;
  readonly token?: string;
  readonly pool?: string;
  readonly namespace?: string;
  readonly protocol?: HostProtocol;
  readonly relay?: Relay;
  readonly programVersion?: number;
  readonly serverless?: boolean;
}

/** A remote host, and the links that it opened. */
export function startHost(options: HostOptions): {
  readonly client: HostClient;
  readonly links: MemoryLink[];
} {
  const links: MemoryLink[] = [];
  const client = new HostClient({
    env: options.world,
    use: options.use,
    token: options.token ?? "secret",
    namespace: options.namespace,
    pool: options.pool ?? "default",
    relay: options.relay,
    programVersion: options.programVersion,
    serverless: options.serverless,
    dial: async () => {
      const [near, far] = memoryLinks(options.world);
      links.push(near);
      options.hosts().accept(far);
      return near;
    },
    ...(options.protocol === undefined ? {} : { protocol: options.protocol }),
  });
  return { client, links };
}

/** A host whose words are the test's own. */
export class SpokenHost {
  readonly heard: NonNullable<EngineToHost["body"]>[] = [];
  closed: { readonly code: number; readonly reason: string } | undefined;
  readonly #link: MemoryLink;

  constructor(world: World, hosts: RemoteHosts) {
    const [near, far] = memoryLinks(world);
    this.#link = near;
    near.attach({
      message: (data) => {
        if (typeof data === "string") return;
        const { body } = EngineToHostCodec.decode(data);
        if (body !== undefined) this.heard.push(body);
      },
      closed: (code, reason) => {
        this.closed = { code, reason };
      },
    });
    hosts.accept(far);
  }

  say(body: NonNullable<HostToEngine["body"]>): this {
    this.#link.send(HostToEngineCodec.encode({ body }));
    return this;
  }

  raw(data: string | Uint8Array): this {
    this.#link.send(data);
    return this;
  }

  hello(
    options: {
      name?: string;
      token?: string;
      pool?: string;
      versions?: number[];
      resume?: HostResume;
      resumes?: boolean;
    } = {},
  ): this {
    const actor = {
      name: options.name ?? "counter",
      actions: ["increment"],
      events: [],
      options: new Uint8Array(),
    };
    return this.say({
      $case: "hello",
      value: {
        versions: options.versions ?? [1],
        token: options.token ?? "secret",
        namespace: "",
        pool: options.pool ?? "",
        programVersion: 0,
        resumes: options.resumes ?? false,
        resume: options.resume,
        serverless: false,
        actors: [
          {
            ...{
              ...actor,
              consumed: [],
              deliveries: [],
              queues: [],
              connections: true,
              sockets: false,
              database: false,
            },
            ...{
              requests: false,
              startRows: true,
              guardedEvents: [],
              idempotency: false,
              serial: false,
              hibernation: false,
              optionsKept: [],
              encoding: "",
            },
          },
        ],
      },
    });
  }

  /** What instances were told, in order: `3 start`. */
  get told(): string[] {
    return this.words().map(({ instance, body }) => {
      const reason =
        body?.$case === "stop" && body.value.reason === CarriedStopReason.BROKEN ? " broken" : "";
      return `${instance} ${body?.$case ?? "nothing"}${reason}`;
    });
  }

  words(): ToActor[] {
    return this.heard.flatMap((body) => (body.$case === "actor" ? [body.value] : []));
  }
}

/** Who has SQL that is asked for without an actor. */
export function sqlOwner({
  world,
  openSql,
}: {
  world: World;
  openSql: CarriedSqlOwner["openSql"];
}): CarriedSqlOwner {
  return {
    ...{ env: world, openSql, checkLive: () => {}, break: () => {}, encoding: "cbor" },
    ...{ gate: new OutputGate(() => {}), request: { store: {} } },
    ...{ descriptor: { options: { actionTimeout: 1 } }, phase: { tag: "running" } },
  };
}
