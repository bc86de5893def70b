/**
 * What the types promise, checked by `tsc`: each `@ts-expect-error` is an error that a user must get.
 */
import type {
  ActorConn,
  ActorConnStatus,
  ActorHandle,
  AnyActorDefinition,
  Client,
  ConnectionStateCallback,
  EventArgsOf,
  EventNameOf,
  EventUnsubscribe,
  ExtractActorsFromRegistry,
  ExtractRegistryFromClient,
  Registry,
  StatusChangeCallback,
} from "../src/index.ts";

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function holds<T extends true>(): T | undefined {
  return undefined;
}

interface Context {
  readonly state: { count: number };
}

/** As the runtime writes its definitions: phantom types beside members of its own. */
interface Definition<A, E extends Readonly<Record<string, readonly unknown[]>>, P, I> {
  readonly descriptor: { readonly name: string };
  readonly "~types"?: { readonly actions: A; readonly events: E; readonly params: P; readonly input: I };
}

interface CounterActions {
  increment: (c: Context, by: number) => number;
  later: (c: Context, by?: number) => Promise<string>;
  all: (c: Context, ...names: string[]) => void;
  none: () => boolean;
  orders: { cancel: (c: Context, id: string) => Date; deep: { er: (c: Context) => 1 } };
  tokens: (c: Context, text: string) => AsyncGenerator<{ token: string }, void, unknown>;
  rows: (c: Context) => Promise<AsyncIterable<number>>;
  fails: (c: Context) => never;
  // biome-ignore lint/suspicious/noExplicitAny: what a user may have
  loose: (c: Context) => any;
  /** A name of the handle's own. */
  connect: (c: Context) => number;
}

type Counter = Definition<
  CounterActions,
  { changed: readonly [count: number]; moved: readonly [x: number, y: number] },
  { readonly token: string },
  { readonly from: number }
>;
type Plain = Definition<{ ping: (c: Context) => "pong" }, Record<never, never>, undefined, undefined>;

interface App {
  readonly start: () => Promise<void>;
  readonly "~types"?: { readonly use: { readonly counter: Counter; readonly plain: Plain } };
}

holds<Equal<App extends Registry ? true : false, true>>();
holds<Equal<Counter extends AnyActorDefinition ? true : false, true>>();
holds<Equal<EventNameOf<Counter>, "changed" | "moved">>();
holds<Equal<EventNameOf<Plain>, string>>();
holds<Equal<EventArgsOf<Counter, "changed">, [count: number]>>();
holds<Equal<EventArgsOf<Plain, "any">, unknown[]>>();

export async function handles(client: Client<App>): Promise<void> {
  const handle = client.counter.getOrCreate(["a"], { createWithInput: { from: 1 }, params: { token: "t" } });
  const count = await handle.increment(1);
  holds<Equal<typeof count, number>>();
  const text = await handle.later();
  holds<Equal<typeof text, string>>();
  await handle.all("a", "b");
  const none = await handle.none();
  holds<Equal<typeof none, boolean>>();
  const date = await handle.orders.cancel("id");
  holds<Equal<typeof date, Date>>();
  const one = await handle.orders.deep.er();
  holds<Equal<typeof one, 1>>();
  const free = await handle.action<boolean>({ name: "increment", args: [1] });
  holds<Equal<typeof free, boolean>>();
  holds<Equal<ReturnType<typeof handle.connect>, ActorConn<Counter>>>();
  const created = await client.counter.create("a", { input: { from: 1 } });
  holds<Equal<typeof created, ActorHandle<Counter>>>();

  // @ts-expect-error: a number is wanted
  await handle.increment("1");
  // @ts-expect-error: an argument is missing
  await handle.increment();
  // @ts-expect-error: there is no such action
  await handle.decrement(1);
  // @ts-expect-error: there is no such actor
  client.counters.get("a");
  // @ts-expect-error: the input has no such property
  client.counter.getOrCreate("a", { createWithInput: { to: 1 } });
  // @ts-expect-error: the parameters need a token
  client.counter.get("a", { params: {} });
  // @ts-expect-error: an option that doesn't exist
  client.counter.get("a", { param: { token: "t" } });
  // @ts-expect-error: nothing can be assigned
  handle.increment = async () => 1;
}

export async function streams(client: Client<App>): Promise<void> {
  const handle = client.counter.getOrCreate("a");
  for (const of of [handle, handle.connect()]) {
    for await (const item of of.tokens("a")) holds<Equal<typeof item, { token: string }>>();
    const items = await of.tokens("a");
    for await (const item of items) holds<Equal<typeof item, { token: string }>>();
    for await (const row of of.rows()) holds<Equal<typeof row, number>>();
    const never = await of.fails();
    holds<Equal<typeof never, never>>();
    const loose = await of.loose();
    // biome-ignore lint/suspicious/noExplicitAny: what a user may have
    holds<Equal<typeof loose, any>>();
    for await (const item of of.action({ name: "tokens" })) holds<Equal<typeof item, unknown>>();
  }
  for await (const [count] of handle.connect().events("changed")) holds<Equal<typeof count, number>>();

  // @ts-expect-error: a result that isn't in items
  for await (const _ of handle.increment(1)) break;
  // @ts-expect-error: there is no such event
  handle.connect().events("change");
}

/** A program that was written for RivetKit, as it is. */
export async function written(client: Client<App>): Promise<void> {
  type Actors = ExtractActorsFromRegistry<ExtractRegistryFromClient<typeof client>>;
  holds<Equal<Actors["counter"], Counter>>();
  const options = { createInRegion: "eu", poolName: "pool", signal: new AbortController().signal };
  const handle: ActorHandle<Counter> = client.counter.getOrCreate(["a"], options);
  await client.counter.create("b", { region: "eu", poolName: "pool" });
  const sum = await handle.action<[number], number>({ name: "increment", args: [1], skipReadyWait: true });
  holds<Equal<typeof sum, number>>();
  const response = await handle.fetch("/path", { method: "POST", body: "x", skipReadyWait: true });
  holds<Equal<typeof response, Response>>();
  const socket = await handle.webSocket("/path", ["chat"], { skipReadyWait: true });
  socket.close();
  const url: string = await handle.getGatewayUrl();
  const id: string = await handle.resolve();
  await handle.reload();
  const conn: ActorConn<Counter> = handle.connect({ token: "t" }, { skipReadyWait: true });
  const opened: ConnectionStateCallback = () => {};
  const changed: StatusChangeCallback = (status) => void (status satisfies ActorConnStatus);
  const stop: EventUnsubscribe[] = [conn.onOpen(opened), conn.onClose(opened), conn.onStatusChange(changed)];
  stop.push(conn.onError((error) => void `${error.group}.${error.code} ${error.message} ${id} ${url}`));
  for (const each of stop) each();
  await conn.ready;
  holds<Equal<typeof conn.isConnected, boolean>>();
  await conn.dispose();
  const byId = client.counter.getForId(id, { getParams: async () => ({ token: "t" }) });
  await byId.increment(1);
  await client.dispose();
}

export async function connections(client: Client<App>): Promise<void> {
  const conn = client.counter.get("a").connect({ token: "t" });
  conn.on("changed", (count) => holds<Equal<typeof count, number>>());
  conn.once("moved", (x, y) => void (holds<Equal<typeof x, number>>() ?? holds<Equal<typeof y, number>>()));
  const count = await conn.increment(1);
  holds<Equal<typeof count, number>>();
  conn.onGap((gap) => holds<Equal<typeof gap.events, readonly string[]>>());
  client.plain
    .get()
    .connect()
    .on("anything", (...args) => void holds<Equal<typeof args, unknown[]>>());

  // @ts-expect-error: there is no such event
  conn.on("change", () => {});
  // @ts-expect-error: the event has one argument, a number
  conn.on("changed", (count: string) => void count);
  // @ts-expect-error: the parameters need a token
  client.counter.get("a").connect({});
}

export async function untyped(client: Client): Promise<void> {
  const handle = client.get("counter", "a");
  const answer = await handle.action({ name: "increment", args: [1] });
  holds<Equal<typeof answer, unknown>>();
  const called = await handle.increment?.(1);
  holds<Equal<typeof called, unknown>>();
  await handle.orders?.cancel?.("id");
  handle.connect().on("changed", (count) => void holds<Equal<typeof count, unknown>>());
}
