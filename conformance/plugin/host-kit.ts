/**
 * What every carrier must do for a plugin that asks its host's relay, in every language that can: marks, metrics, scopes,
 * codecs, registrations, gates. What its manifest doesn't list is refused, with a typed error, and nothing happens.
 *
 * The plugin under test has one middleware around tools, "asker", which asks for what the tool's name says.
 */
import { TroupeError } from "@troupe/base";
import { limits } from "@troupe/protocol";
import { propagationContextToJson, type Relay, type RelayEvent, type Scope, ScopeType } from "@troupe/relay";
import { createRelay } from "@troupe/relay/node";
import { nodeEnv } from "@troupe/runtime/process";
import { expect, type TestContext, test } from "vitest";
import { RelayHost } from "../../packages/plugins/src/activation/relay-host.ts";
import { allCapabilities, type Capability } from "../../packages/plugins/src/manifest/rules.ts";
import { openSession } from "../../packages/plugins/src/session/open-session.ts";
import type { PluginSession } from "../../packages/plugins/src/session/session.ts";
import type { PluginUnderTest } from "./plugin-kit.ts";

const TOOL = 14;

/** Registers the kit's stories for one carrier and one language. One process serves them all: they are about its questions. */
export function hostKit(subject: string, find: () => Promise<PluginUnderTest>): void {
  test(`${subject} plugin: asks its host's relay`, { timeout: 290_000 }, async (context: TestContext) => {
    const found = await find();
    if ("missing" in found) return context.skip(found.missing);
    // What it may is looked at for each question: one plugin is asked as several.
    const capabilities: Capability[] = [...allCapabilities];
    const asker = new Asker(capabilities);
    const session = await openSession({
      env: nodeEnv({ logLevel: "silent" }),
      open: found.open,
      hostVersion: "0.0.0",
      host: asker.host,
    });
    asker.session = session;
    await eventStories(asker);
    await leftStory(asker);
    await namedStory(asker);
    await otherStories(asker);
    await refusalStories(asker, capabilities);
    await asker.ask("closeGate", "nobody");
    await session.close();
    await endStory(asker);
  });
}

/** The plugin in a relay whose events are heard. */
class Asker {
  readonly relay: Relay = createRelay();
  readonly host: RelayHost;
  readonly #heard: RelayEvent[] = [];
  session: PluginSession | undefined;

  constructor(capabilities: readonly Capability[]) {
    this.relay.register({
      kind: "subscriber",
      name: "ear",
      queueLimit: limits.relaySubscriberQueueLongest,
      handle: (event) => void this.#heard.push(event),
    });
    this.host = new RelayHost({ relay: this.relay, id: "asker", capabilities });
  }

  /** What the plugin answers in a scope of the host's, which it is told, and that scope's id. `args` may be about that scope. */
  async ask(
    toolName: string,
    args: unknown = null,
  ): Promise<{ readonly result: unknown; readonly scope: string }> {
    return await this.relay.withScope("call", ScopeType.Tool, async (scope) => {
      const told = this.named(scope);
      const payload = { toolName, args: typeof args === "function" ? args(told) : args, toolCallId: null };
      const around = { next: async () => null, stream: false };
      const options = { timeoutMs: Infinity, around, scope: told };
      const call = { kind: TOOL, name: "asker", payload, options };
      const answer = (await this.session?.invoke(call)) as { readonly result: unknown };
      return { result: answer.result, scope: scope.uuid };
    });
  }

  /** Its propagation value. */
  named(scope: Scope): string {
    const context = this.relay.capturePropagationContext(scope);
    if (context === undefined) throw new Error("it isn't a root");
    return propagationContextToJson(context);
  }

  /** Events that nobody has looked at, without those of the calls themselves. */
  async events(): Promise<RelayEvent[]> {
    await this.relay.flushSubscribers();
    return this.#heard.splice(0).filter(({ name }) => name !== "call");
  }
}

async function eventStories(asker: Asker): Promise<void> {
  // It said so of its own accord, in no call: below nothing.
  await asker.ask("wholly");
  expect((await asker.events()).map(({ name, parent_uuid }) => [name, parent_uuid])).toEqual([
    ["ready", null],
    ["wholly", null],
  ]);
  const marked = await asker.ask("mark");
  expect(await asker.events()).toMatchObject([
    {
      kind: "mark",
      name: "seen",
      parent_uuid: marked.scope,
      data: { n: 1 },
      metadata: { a: "b", "nemo_relay.log.severity": "warn" },
    },
  ]);
  await asker.ask("metric", 7);
  expect(await asker.events()).toMatchObject([
    { name: "size", data: { measurements: [{ name: "bytes", value: 7, value_type: "u64" }] } },
  ]);
  const { result, scope } = await asker.ask("scope");
  const [start, within, end] = await asker.events();
  expect(start).toMatchObject({ name: "inner", parent_uuid: scope, data: "in", metadata: { a: 1 } });
  expect(within).toMatchObject({ name: "within", parent_uuid: start?.uuid });
  expect(end).toMatchObject({ uuid: start?.uuid, scope_category: "end", data: "out" });
  expect(result).toMatchObject({ parentUuid: start?.uuid });
  await asker.ask("failed");
  expect((await asker.events())[1]?.metadata).toMatchObject({
    "otel.status_code": "ERROR",
    "otel.status_description": "too far",
  });
  const forked = await asker.ask("fork");
  const [outer, beside, alone, ...rest] = await asker.events();
  expect(beside).toMatchObject({ name: "beside", parent_uuid: outer?.uuid });
  expect(alone).toMatchObject({ name: "alone", parent_uuid: null });
  // Nothing is about a fork: what is left is the end of what was pushed.
  expect(rest).toMatchObject([{ uuid: outer?.uuid, scope_category: "end" }]);
  const { of, fork } = forked.result as { readonly of: unknown; readonly fork: unknown };
  expect(fork).toEqual(of);
}

/** A scope that was left open ends with its call, and says so; nobody pops it afterwards. */
async function leftStory(asker: Asker): Promise<void> {
  await asker.ask("leave");
  const [start, end] = await asker.events();
  expect(end).toMatchObject({ uuid: start?.uuid, metadata: { "error.type": "plugin.scope_left" } });
  await expect(asker.ask("popLeft")).rejects.toMatchObject({ group: "plugin", code: "scope_unknown" });
  // As many as there may be, and then their places are free again.
  for (let again = 0; again < 2; again += 1)
    await expect(asker.ask("flood")).rejects.toMatchObject({ group: "plugin", code: "too_many_scopes" });
  const ends = (await asker.events()).filter(
    (event) => "scope_category" in event && event.scope_category === "end",
  );
  expect(ends).toHaveLength(2 * limits.pluginScopes);
}

/**
 * By its propagation value it names what it was told, also a while after, and what it made. Whoever has the ids of another's scope from
 * elsewhere, as a subscriber has, is refused: nothing is said there, nor in another's trace, and the plugin goes on.
 */
async function namedStory(asker: Asker): Promise<void> {
  const under = async (args: unknown) => {
    const { scope } = await asker.ask("under", args);
    return { scope, marked: (await asker.events()).map((event) => event.parent_uuid) };
  };
  let before = "";
  const own = await under((told: string) => {
    before = told;
    return told;
  });
  expect(own.marked).toEqual([own.scope]);
  const { parent_uuid, root_uuid } = JSON.parse(before);
  expect((await under(before)).marked).toEqual([own.scope]);
  expect((await under(JSON.stringify({ parent_uuid, root_uuid, version: 1 }))).marked).toEqual([own.scope]);
  const theirs = await asker.relay.withScope("call", ScopeType.Agent, async (scope) => asker.named(scope));
  const others = JSON.parse(theirs);
  const forged = [
    theirs,
    JSON.stringify({ version: 1, root_uuid, parent_uuid: others.parent_uuid }),
    JSON.stringify({ version: 1, root_uuid: others.root_uuid, parent_uuid }),
    JSON.stringify({ version: 1, parent_uuid }),
  ];
  for (const scope of forged)
    await expect(asker.ask("under", scope), scope).rejects.toMatchObject({
      group: "plugin",
      code: "scope_unknown",
      metadata: { scope },
    });
  await expect(asker.ask("under", "{")).rejects.toMatchObject({ code: "propagation_malformed" });
  expect(await asker.events()).toEqual([]);
  expect((await under((told: string) => told)).marked).toHaveLength(1);
}

async function otherStories(asker: Asker): Promise<void> {
  const content = { model: "one", messages: [{ role: "user", content: "hello" }], odd: { kept: true } };
  const { result } = await asker.ask("codec", { headers: { a: "b" }, content });
  expect(result).toEqual({ headers: { a: "b" }, content: { ...content, model: "other" } });
  const unreadable = { group: "relay", code: "payload_unreadable" };
  await expect(asker.ask("unreadable")).rejects.toMatchObject(unreadable);
  expect((await asker.ask("registrations")).result).toEqual([
    { kind: "subscriber", name: "ear", priority: 0, scopeUuid: null },
  ]);
  expect((await asker.ask("diagnostics")).result).toMatchObject({ subscribers: [{ name: "ear" }] });
  await gateStory(asker);
  await asker.ask("log");
}

async function gateStory(asker: Asker): Promise<void> {
  const { relay } = asker;
  const doubled = relay.register({
    kind: "tool_request_intercept",
    name: "double",
    handle: ({ args }) => Number(args) * 2,
  });
  const runs = async () => (await relay.toolCallExecute("t", 1, async (args) => ({ result: args }))).result;
  expect(await runs()).toBe(2);
  await asker.ask("closeGate", "double");
  expect(await runs()).toBe(1);
  await asker.ask("openGate");
  expect(await runs()).toBe(2);
  doubled.deregister();
}

/** Each is refused by the capability that its manifest doesn't list; the others go on. */
async function refusalStories(asker: Asker, capabilities: Capability[]): Promise<void> {
  await asker.events();
  const without: readonly (readonly [Capability, readonly string[]])[] = [
    ["events", ["mark", "metric", "scope", "fork", "foreign"]],
    ["codecs", ["codec"]],
    ["registrations", ["registrations", "diagnostics"]],
    ["gates", ["closeGate"]],
  ];
  const anything = { headers: {}, content: {} };
  for (const [capability, questions] of without) {
    capabilities.splice(0, Infinity, ...allCapabilities.filter((one) => one !== capability));
    for (const question of questions) {
      const refused = await asker.ask(question, anything).catch((error: unknown) => error);
      expect(refused, question).toMatchObject({
        group: "plugin",
        code: "not_allowed",
      });
      expect(refused, question).toBeInstanceOf(TroupeError);
    }
  }
  expect(await asker.events()).toEqual([]);
  capabilities.splice(0, Infinity, ...allCapabilities);
  const foreign = await asker.relay.withScope("theirs", ScopeType.Agent, async ({ uuid }) =>
    asker.ask("foreign", uuid).catch((error: unknown) => error),
  );
  expect(foreign).toMatchObject({ group: "plugin", code: "scope_unknown" });
  await expect(asker.ask("metric", -1)).rejects.toMatchObject({
    group: "relay",
    code: "measurement_invalid",
  });
}

/** With the session its gates are gone. */
async function endStory(asker: Asker): Promise<void> {
  const gates = asker.relay.listRuntimeRegistrations(["conditional_middleware_guardrail"]);
  expect(gates).toEqual([]);
}
