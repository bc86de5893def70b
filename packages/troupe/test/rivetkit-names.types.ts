/** RivetKit's names for types, checked by `tsc`: what each means for a program that only changed its imports. */

import type {
  ActorKey,
  ActorOptionsInput,
  ActorSchedule,
  AnyClient,
  AnyConn,
  BeforeActionResponseContextOf,
  BeforeConnectContextOf,
  Client,
  ConnContextOf,
  ConnInitContextOf,
  CreateConnStateContextOf,
  CreateVarsContextOf,
  DestroyContextOf,
  DisconnectContextOf,
  Encoding,
  MigrateContextOf,
  QueueIterOptions,
  QueueNextBatchOptions,
  QueueNextOptions,
  QueueWaitOptions,
  RegistryConfigInput,
  RivetErrorLike,
  ScheduledEventInfo,
  StateChangeContextOf,
} from "troupe";
import * as troupe from "troupe";
import { actor, event, queue, setup } from "troupe";
import type {
  AnyDatabaseProvider,
  DatabaseProvider,
  InferDatabaseClient,
  RawAccess,
  SqliteTransactionOptions,
} from "troupe/db";
import { db } from "troupe/db";
import type { DynamicActorConfig, DynamicActorLoader } from "troupe/dynamic";
import { dynamicActor } from "troupe/dynamic";
import type { SetupTestResult } from "troupe/test";
import type { TryBlockConfig, TryStepConfig } from "troupe/workflow";
import { workflow } from "troupe/workflow";

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function holds<_T extends true>(): void {}

const database = db({});

const room = actor({
  types: {} as { state: { seats: number }; connState: { seat: string }; vars: { cache: string } },
  state: { seats: 1 },
  db: database,
  vars: { cache: "" },
  connState: { seat: "" },
  actions: { seats: (c) => c.state.seats },
});

// Functions outside of the definition, as RivetKit's documentation has them.
function refuse(c: BeforeConnectContextOf<typeof room>): void {
  holds<Equal<(typeof c)["state"], { seats: number }>>();
  holds<Equal<(typeof c)["vars"], { cache: string }>>();
}
function seat(c: CreateConnStateContextOf<typeof room>): string {
  return `${c.vars.cache}${c.state.seats}`;
}
function cache(c: CreateVarsContextOf<typeof room>): string {
  return String(c.state.seats);
}
function leave(c: DisconnectContextOf<typeof room>): string {
  return c.conn.state.seat;
}

function ended(c: DestroyContextOf<typeof room>): void {
  c.state.seats = 0;
}
function changed(c: StateChangeContextOf<typeof room>): void {
  c.broadcast("changed", c.state.seats);
}
async function migrated(c: MigrateContextOf<typeof room>): Promise<void> {
  await c.db.execute("SELECT 1");
}
function left(c: BeforeActionResponseContextOf<typeof room>): string {
  return c.conn.id;
}
function connected(c: ConnContextOf<typeof room>): number {
  const conn: AnyConn = c.conn;
  const schedule: ActorSchedule = c.schedule;
  return conn.id.length + Object.keys(schedule).length;
}

/** Each function in the hook that it is for. */
export const hooked = actor({
  types: {} as { state: { seats: number }; connState: { seat: string }; vars: { cache: string } },
  state: { seats: 1 },
  db: database,
  createVars: (c) => ({ cache: cache(c) }),
  onBeforeConnect: (c) => refuse(c),
  createConnState: (c) => ({ seat: seat(c) }),
  onDestroy: (c) => ended(c),
  onStateChange: (c) => changed(c),
  onMigrate: (c) => migrated(c),
  onDisconnect: (c) => void leave(c),
  onBeforeActionResponse: (c, _name, _args, output) => [left(c), output],
  actions: { seats: (c) => connected(c) },
});

/** Before a connection is there, there is one context. */
export function early(c: ConnInitContextOf<typeof room>): void {
  refuse(c);
}

const registry = setup({ use: { room } });

export function clientsOf(client: Client<typeof registry>): AnyClient {
  return client;
}

export async function use({ client }: SetupTestResult<typeof registry>, key: ActorKey): Promise<number> {
  return await client.room.getOrCreate(key).seats();
}

export function code(error: RivetErrorLike): string {
  return `${error.group}.${error.code}`;
}
export const read: string = code(new troupe.RivetError("a", "b", "c"));
export function caught(error: unknown): string {
  if (error instanceof troupe.ActorError || error instanceof troupe.RivetError) return code(error);
  return "";
}

export const encoding: Encoding = "cbor";
export const options: ActorOptionsInput = { sleepTimeout: 1 };
export const config: RegistryConfigInput<{ room: typeof room }> = { use: { room } };
export const next: QueueNextOptions<"jobs"> = { names: ["jobs"], timeout: 1 };
export const batch: QueueNextBatchOptions<"jobs", true> = { count: 2, completable: true };
export const iter: QueueIterOptions = {};
export const wait: QueueWaitOptions = { timeout: 1 };
export const planned: ScheduledEventInfo = { id: "", action: "", args: [], runAt: 0 };

export const provider: DatabaseProvider<RawAccess> = database;
export const any: AnyDatabaseProvider = undefined;
export const transaction: SqliteTransactionOptions = { name: "sale", timeout: 1 };
holds<Equal<InferDatabaseClient<typeof database>, RawAccess>>();
holds<Equal<InferDatabaseClient<undefined>, RawAccess>>();

const ping: TryStepConfig<string> = { name: "ping", run: async (step) => step.actorId, maxRetries: 1 };
const twice: TryBlockConfig<number> = {
  name: "twice",
  catch: ["step"],
  run: async (ctx) => (await ctx.step("length", async (step) => step.actorId)).length,
};
export const pinger = actor({
  state: { pings: 0 },
  events: { pinged: event<string>() },
  queues: { pings: queue<{ from: string }>() },
  createConnState: (_c, params: { token: string }) => ({ user: params.token }),
  run: workflow(async (ctx) => {
    const pinged = await ctx.tryStep(ping);
    if (pinged.ok) holds<Equal<typeof pinged.value, string>>();
    await ctx.try(twice);
  }),
  actions: { pings: (c) => c.state.pings },
});

const load: DynamicActorLoader = ({ key }) => ({ source: key.join(), nodeProcess: { memoryLimit: 16 } });
const dynamic: DynamicActorConfig = { load };
export const definition: troupe.AnyActorDefinition = dynamicActor(dynamic);
