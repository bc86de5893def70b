/**
 * User: somebody who does one thing after the other, by calls or over a connection, and writes down what came of it.
 */
import type { ActorConn, ActorHandle, AnyActorDefinition, Client } from "@troupe/client";
import { vaultDoings } from "../actors/vault.ts";
import type { Durability } from "../checkers/durability.ts";
import { failureOf } from "../checkers/failure.ts";
import { type History, marksOf, type Op, type OpKind } from "../checkers/history.ts";
import { markOf, marksIn } from "../checkers/tokens.ts";
import type { Mix } from "../options.ts";
import type { SimProcess } from "../world/process.ts";
import type { Random } from "../world/random.ts";
import type { World } from "../world/world.ts";
import { Listener } from "./listener.ts";

/** Where an actor is found. */
export interface Address {
  readonly name: string;
  readonly key: string;
}

/** What a user is made of. */
export interface UserParts {
  readonly world: World;
  readonly process: SimProcess;
  readonly client: Client;
  readonly history: History;
  readonly durability: Durability;
  readonly addresses: readonly Address[];
  readonly name: string;
  readonly connected: boolean;
}

interface Line {
  readonly address: Address;
  readonly connection: ActorConn<AnyActorDefinition>;
  readonly listener: Listener;
  /** The token of the newest attempt to connect. */
  knock: string;
}

type Doing = keyof Mix;

/** A call, ready to be made. */
interface Call {
  readonly kind: OpKind;
  readonly args: readonly unknown[];
  readonly turns?: number;
  readonly idempotencyKey?: string;
}

/** One user. */
export class User {
  readonly name: string;
  readonly #parts: UserParts;
  readonly #random: Random;
  readonly #menu: readonly Doing[];
  /** Schedules that this user may cancel: token and id. */
  readonly #reminders: { readonly address: Address; readonly token: string; readonly schedule: string }[] =
    [];
  #line: Line | undefined;
  #lastOnce = { token: "" };

  constructor(parts: UserParts) {
    this.name = parts.name;
    this.#parts = parts;
    this.#random = parts.process.random.fork();
    this.#menu = menuOf(parts.world.options.mix);
  }

  /** Does all that it has to do. */
  async work(): Promise<void> {
    const { world, process } = this.#parts;
    for (let round = 0; round < world.options.opsPerUser; round += 1) {
      await process.sleep(this.#random.around(world.options.thinkMs));
      await this.#doOne(this.#random.pick(this.#menu));
    }
  }

  /** After the faults: what stands must work. */
  async farewell(): Promise<void> {
    const address = this.#line?.address;
    if (address === undefined) return;
    // A link that broke unheard, or a server that was just away: the connection must come back by itself.
    for (let attempt = 0; ; attempt += 1) {
      // The actor may have been destroyed, and its connections with it: who wants the next one calls it up.
      this.#line ??= this.#callUp(address);
      const op = await this.#perform(address, { kind: "append", args: [] });
      if (op.outcome.tag === "ok") break;
      if (attempt === 5) {
        this.#parts.world.fail("liveness", `${this.name}'s connection fails for good: ${JSON.stringify(op)}`);
        return;
      }
      await this.#parts.process.sleep(30_000);
    }
    await this.#hangUp();
  }

  async #doOne(doing: Doing): Promise<void> {
    if (doing === "reconnect") return await this.#hangUp();
    const address = this.#address();
    if (doing === "burst") {
      const calls = Array.from({ length: 2 + this.#random.below(4) }, () => {
        const kind = this.#random.pick(["append", "pair", "announce"] as const);
        const vault = address.name === "vault" && this.#random.chance(0.7);
        return vault ? this.#atVault(address) : this.#perform(address, { kind, args: [] });
      });
      await Promise.all(calls);
      return;
    }
    if (doing === "vault") return void (await this.#atVault(address));
    if (doing === "cancel") return await this.#cancel();
    if (doing === "once") return await this.#once(address);
    if (doing === "note" || doing === "job") return await this.#message(address, doing);
    if (doing === "weave") return await this.#weave(address);
    const op = await this.#perform(address, this.#call(doing));
    const output = op.outcome.tag === "ok" ? op.outcome.output : undefined;
    if (doing === "remind" && typeof output === "object" && output !== null && "schedule" in output) {
      this.#reminders.push({ address, token: op.token, schedule: String(output.schedule) });
    }
  }

  /** A connected user talks to one actor for as long as the line stands. */
  #address(): Address {
    const { connected, addresses } = this.#parts;
    if (!connected) return this.#random.pick(addresses);
    this.#line ??= this.#callUp(this.#random.pick(addresses));
    return this.#line.address;
  }

  /** Only vaults have a database. */
  async #atVault(address: Address): Promise<Op> {
    const kind = address.name === "vault" ? this.#random.pick(vaultDoings) : "append";
    const pauses = kind !== "append" && kind !== "deposit" && kind !== "browse";
    return await this.#perform(address, { kind, args: pauses ? [this.#random.around(20)] : [] });
  }

  /** Only mills take messages. */
  async #message(address: Address, kind: "note" | "job"): Promise<void> {
    await this.#perform(address, { kind: address.name === "mill" ? kind : "append", args: [] });
  }

  /** Only looms have workflows. */
  async #weave(address: Address): Promise<void> {
    await this.#perform(address, { kind: address.name === "loom" ? "weave" : "append", args: [] });
  }

  /** Calls once or twice under one key, at the same time or one after the other. */
  async #once(address: Address): Promise<void> {
    const { world } = this.#parts;
    const idempotencyKey = `key-${this.name}-${world.scheduler.steps}`;
    const args = [this.#random.chance(0.5) ? 0 : Math.ceil(this.#random.around(20))];
    const first = this.#perform(address, { kind: "once", args, idempotencyKey });
    if (this.#random.chance(0.5)) {
      await first;
      return;
    }
    if (this.#random.chance(0.5)) await first;
    const { token } = this.#lastOnce;
    const second = await this.#again(address, [token, ...args], idempotencyKey);
    const { outcome } = await first;
    if (outcome.tag !== "ok" || second === undefined) return;
    world.counters.add("a key was answered twice");
    const [one, other] = [JSON.stringify(outcome.output), JSON.stringify(second)];
    if (one !== other && idOf(outcome.output) === idOf(second))
      world.fail("idempotency", `${token} was answered with ${one}, and then with ${other}`);
  }

  /** The same call once more, by HTTP. Its result, if it has one. */
  async #again(
    address: Address,
    args: readonly [token: string, ...unknown[]],
    idempotencyKey: string,
  ): Promise<unknown> {
    const { client, durability, history } = this.#parts;
    const [token] = args;
    const handle = this.#handle(client, address, () => ({ token: history.token() }));
    try {
      const output = await handle.action({ name: "once", args, idempotencyKey });
      durability.mustBeSafe(markOf(token), `${this.name}, by a second reply,`);
      return output;
    } catch {
      return undefined;
    }
  }

  #call(
    kind: Exclude<Doing, "reconnect" | "burst" | "cancel" | "once" | "note" | "job" | "weave" | "vault">,
  ): Call {
    switch (kind) {
      case "slow": {
        const turns = 2 + this.#random.below(3);
        return { kind, args: [turns, this.#random.around(20)], turns };
      }
      case "linger":
        return { kind, args: [this.#random.around(100)] };
      case "remind":
        return { kind, args: [Math.floor(this.#random.around(this.#random.pick([1, 300, 10_000])))] };
      case "recur": {
        const intervalMs = 1 + Math.floor(this.#random.around(this.#random.pick([5, 300, 10_000])));
        const overlap = this.#random.pick(["skip", "queue", "allow"]);
        return { kind, args: [intervalMs, overlap, this.#random.pick(["skip", "one", "all"])] };
      }
      case "transfer": {
        const { name, key } = this.#random.pick(this.#parts.addresses);
        return { kind, args: [name, key] };
      }
      default:
        return { kind, args: [] };
    }
  }

  async #cancel(): Promise<void> {
    const reminder = this.#reminders.pop();
    if (reminder === undefined) return;
    const op = await this.#perform(reminder.address, {
      kind: "cancel",
      args: [reminder.token, reminder.schedule],
    });
    const { outcome } = op;
    if (outcome.tag !== "ok" || typeof outcome.output !== "object" || outcome.output === null) return;
    if ("cancelled" in outcome.output && outcome.output.cancelled === true) {
      this.#parts.world.counters.add("a schedule was cancelled");
    }
  }

  #callUp(address: Address): Line {
    const { client, history, world, durability } = this.#parts;
    const handle = this.#handle(client, address, () => {
      line.knock = history.token();
      return { token: line.knock };
    });
    const connection = handle.connect();
    const listener = new Listener(world, durability, this.name, connection);
    const line: Line = { address, connection, listener, knock: "" };
    connection.onOpen(() => {
      if (address.name === "hall")
        durability.mustBeSafe(markOf(line.knock, "knock"), `${this.name}, connected,`);
    });
    connection.onError(() => {});
    return line;
  }

  async #hangUp(): Promise<void> {
    const line = this.#line;
    this.#line = undefined;
    await line?.connection.dispose();
  }

  #handle(client: Client, { name, key }: Address, getParams: () => unknown): ActorHandle<AnyActorDefinition> {
    return client.getOrCreate(name, [key], { getParams });
  }

  /** Makes a call and writes down what became of it. Never rejects. */
  async #perform(address: Address, call: Call): Promise<Op> {
    const { world, history, client } = this.#parts;
    const token = history.token();
    const line = this.#line?.address === address ? this.#line : undefined;
    const op: Op = {
      kind: call.kind,
      token,
      actor: address,
      via: line === undefined ? `${this.name} by HTTP` : `${this.name} connected`,
      startedAt: world.scheduler.steps,
      endedAt: Infinity,
      outcome: { tag: "pending" },
      marks: marksOf(call.kind, token, call.turns ?? 0),
    };
    history.ops.push(op);
    if (call.kind === "once") this.#lastOnce = op;
    world.trace.say(this.name, `calls ${call.kind} ${address.name}/${address.key}`, token);
    const waits = line !== undefined && line.connection.connStatus === "disconnected";
    const args = call.kind === "cancel" ? call.args : [token, ...call.args];
    const target = line?.connection ?? this.#handle(client, address, () => ({ token: history.token() }));
    try {
      op.outcome = { tag: "ok", output: await this.#ask(target, call, args) };
      if (waits) world.counters.add("reconnect with a queued action");
      this.#succeeded(op, line);
    } catch (error) {
      this.#failed(op, error);
      // Its link may break before it is closed as the actor's: then the client would call up the next actor by itself.
      if (line !== undefined && line === this.#line && endsLine(op, line)) await this.#hangUp();
    }
    op.endedAt = world.scheduler.steps;
    return op;
  }

  #ask(
    target: ActorHandle<AnyActorDefinition> | ActorConn<AnyActorDefinition>,
    call: Call,
    args: readonly unknown[],
  ): Promise<unknown> {
    const { kind } = call;
    if (kind === "note") return target.send("notes", args[0]);
    if (kind === "job") return target.send("jobs", args[0], { wait: true, timeout: 60_000 });
    return target.action({ name: kind, args, ...keyOf(call) });
  }

  #succeeded(op: Op, line: Line | undefined): void {
    const { world, durability } = this.#parts;
    world.trace.say(this.name, "got its answer", op.token);
    for (const mark of op.marks) durability.mustBeSafe(mark, `${this.name}, by a reply,`);
    if (op.kind === "job") this.#replied(op);
    if (op.kind === "read" && op.outcome.tag === "ok") {
      for (const mark of marksIn(JSON.stringify(op.outcome.output))) durability.mustBeSafe(mark, "a reader");
    }
    if (op.kind === "announce" && line !== undefined && !line.listener.heard(markOf(op.token))) {
      world.fail("order", `${this.name} got the reply of ${op.token} before its event`);
    }
  }

  /** A reply tells of a job that was done. */
  #replied({ token, outcome }: Op): void {
    const { world, durability } = this.#parts;
    const output = outcome.tag === "ok" ? outcome.output : undefined;
    if (typeof output !== "object" || output === null || !("status" in output)) return;
    if (output.status === "timedOut") return;
    world.counters.add("a sender got its reply");
    durability.mustBeSafe(markOf(token, "job"), `${this.name}, by a reply to a message,`);
    if (!("response" in output) || output.response !== markOf(token, "job"))
      world.fail("queues", `${this.name} got another's reply to ${token}: ${JSON.stringify(output)}`);
  }

  /** What is said to be damaged was taken away; nothing else is. */
  #missed({ kind, token }: Op): void {
    const { world } = this.#parts;
    world.counters.add("an actor whose file was away was asked for");
    if (world.counters.get("an actor's own file was away") === 0)
      world.fail("errors", `${kind} ${token} was told of damage that nobody has done`);
  }

  #failed(op: Op, error: unknown): void {
    const { world } = this.#parts;
    const failure = failureOf(op.kind, error);
    const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    world.trace.say(this.name, `failed: ${text}`, op.token);
    if (failure?.tag === "failed" && failure.code === "actor.idempotency_cut_off")
      world.counters.add("a call that was cut off wasn't run again");
    if (failure?.tag === "failed" && failure.code === "storage.corrupt") this.#missed(op);
    if (failure === undefined) world.fail("errors", `${op.kind} ${op.token} ended with ${text}`);
    op.outcome = failure ?? { tag: "failed", code: "unknown", applied: "maybe" };
  }
}

function keyOf({ idempotencyKey }: Call): { readonly idempotencyKey?: string } {
  return idempotencyKey === undefined ? {} : { idempotencyKey };
}

/** The actor that an output is of. */
function idOf(output: unknown): unknown {
  return typeof output === "object" && output !== null && "id" in output ? output.id : undefined;
}

const gone: readonly string[] = ["actor.destroyed", "actor.hook_timed_out", "sql.timed_out"];
/** Only of who isn't connected: another one loses what it has asked, and is connected again. */
const absent: readonly string[] = [
  "actor.start_failed",
  "storage.corrupt",
  "plugin.open_timed_out",
  "plugin.lost",
  "plugin.violation",
  "plugin.worker_exited",
];

/** What a client takes for the end of its connection: its actor is gone, or couldn't start and nothing says that it will. */
function endsLine({ outcome }: Op, { connection }: Line): boolean {
  if (outcome.tag !== "failed") return false;
  return gone.includes(outcome.code) || (absent.includes(outcome.code) && !connection.isConnected);
}

function menuOf(mix: Mix): readonly Doing[] {
  const menu: Doing[] = [];
  for (const [doing, weight] of Object.entries(mix) as [Doing, number][]) {
    for (let copy = 0; copy < weight; copy += 1) menu.push(doing);
  }
  return menu;
}
