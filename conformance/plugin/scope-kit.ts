/**
 * The active scope on every carrier that has middleware, in every language: the plugin is told the scope that its call runs in,
 * what it marks belongs there, what the rest of the call does is in it too, and so is each poll of a stream.
 *
 * The plugins under test are the kit's "asker" and "around", in a relay, as a host registers them.
 */
import { type Relay, type RelayEvent, type Scope, ScopeType } from "@troupe/relay";
import { createRelay } from "@troupe/relay/node";
import { nodeEnv } from "@troupe/runtime/process";
import { expect, type TestContext, test } from "vitest";
import { PluginMiddleware } from "../../packages/plugins/src/activation/plugin-middleware.ts";
import { RelayHost } from "../../packages/plugins/src/activation/relay-host.ts";
import { SupervisedSession } from "../../packages/plugins/src/activation/supervised-session.ts";
import { allCapabilities } from "../../packages/plugins/src/manifest/rules.ts";
import { openSession } from "../../packages/plugins/src/session/open-session.ts";
import type { PluginSession } from "../../packages/plugins/src/session/session.ts";
import type { PluginUnderTest } from "./plugin-kit.ts";

/** Registers the stories for one carrier and one language. */
export function scopeKit(
  subject: string,
  asker: () => Promise<PluginUnderTest>,
  around: () => Promise<PluginUnderTest>,
): void {
  test(`${subject} plugin: into its calls, next and stream polls, nested and side by side, and back behind a throw`, {
    timeout: 290_000,
  }, async (context: TestContext) => {
    const told = await Registered.open(asker, context);
    await toldStory(told);
    await besideStory(told);
    await thrownStory(told);
    await told.session.close();
    const wrapped = await Registered.open(around, context);
    await nextStory(wrapped);
    await streamStory(wrapped);
    await wrapped.session.close();
  });
}

/** A plugin's middleware in a relay whose events are heard. */
class Registered {
  readonly relay: Relay;
  readonly session: PluginSession;
  readonly events: RelayEvent[] = [];

  private constructor(relay: Relay, session: PluginSession) {
    this.relay = relay;
    this.session = session;
    relay.register({ kind: "subscriber", name: "ear", handle: (event) => void this.events.push(event) });
    const env = nodeEnv({ logLevel: "silent" });
    const supervised = new SupervisedSession(session, { env, reopen: undefined });
    new PluginMiddleware({ relay, env }, supervised).register("kit");
  }

  static async open(find: () => Promise<PluginUnderTest>, context: TestContext): Promise<Registered> {
    const found = await find();
    if ("missing" in found) return context.skip(found.missing);
    const relay = createRelay();
    const host = new RelayHost({ relay, id: "kit", capabilities: allCapabilities });
    const env = nodeEnv({ logLevel: "silent" });
    return new Registered(relay, await openSession({ env, open: found.open, hostVersion: "0.0.0", host }));
  }

  /** What the asker answers. */
  async ask(question: string): Promise<unknown> {
    return (await this.relay.toolCallExecute(question, null, () => ({ result: "nobody answered" }))).result;
  }

  inScope<R>(name: string, fn: (scope: Scope) => Promise<R>): Promise<R> {
    return this.relay.withScope(name, ScopeType.Agent, fn);
  }

  async started(name: string): Promise<RelayEvent | undefined> {
    await this.relay.flushSubscribers();
    return this.events.findLast(
      (event) => event.name === name && "scope_category" in event && event.scope_category === "start",
    );
  }
}

/** The golden value is the relay's own: the tool's scope, which is below whoever called it, in that one's trace. */
async function toldStory(told: Registered): Promise<void> {
  await told.inScope("outer", async (outer) => {
    await told.inScope("inner", async (inner) => {
      const root = told.relay.capturePropagationContext(outer)?.rootUuid;
      const scope = await told.ask("scoped");
      const tool = await told.started("scoped");
      expect(tool).toMatchObject({ parent_uuid: inner.uuid });
      expect(scope).toEqual({ version: 1, rootUuid: root, parentUuid: tool?.uuid });
      await told.ask("mark");
      const call = await told.started("mark");
      expect(told.events.findLast(({ name }) => name === "seen")).toMatchObject({ parent_uuid: call?.uuid });
    });
    expect(told.relay.getHandle()).toBe(outer);
  });
}

/** Each of many at once has its own root, and none another's. */
async function besideStory(told: Registered): Promise<void> {
  const roots = await Promise.all(
    Array.from({ length: 20 }, (_, at) =>
      told.relay.withScopeStack(told.relay.createScopeStack(), () =>
        told.inScope(`own ${at}`, async (scope) => {
          const heard = (await told.ask("scoped")) as { readonly rootUuid: string };
          expect(heard.rootUuid).toBe(told.relay.capturePropagationContext(scope)?.rootUuid);
          expect(told.relay.getHandle()).toBe(scope);
          return heard.rootUuid;
        }),
      ),
    ),
  );
  expect(new Set(roots).size).toBe(20);
}

async function thrownStory(told: Registered): Promise<void> {
  await told.inScope("outer", async (outer) => {
    await expect(told.ask("unreadable")).rejects.toMatchObject({ code: "payload_unreadable" });
    expect(told.relay.getHandle()).toBe(outer);
    const heard = await told.ask("scoped");
    expect(await told.started("scoped")).toMatchObject({ parent_uuid: outer.uuid });
    expect(heard).toMatchObject({ parentUuid: (await told.started("scoped"))?.uuid });
  });
}

/** The tool runs in its own scope though a plugin's frame let it; a tool that it calls, through the plugin again, is below it. */
async function nextStory(wrapped: Registered): Promise<void> {
  const { relay } = wrapped;
  await wrapped.inScope("outer", async (outer) => {
    const seen: string[] = [];
    const nested = await relay.toolCallExecute("once", "a", async () => {
      seen.push(relay.getHandle().name);
      const within = await relay.toolCallExecute("twice", "b", async (args) => {
        seen.push(relay.getHandle().name);
        return { result: args };
      });
      seen.push(relay.getHandle().name);
      return within;
    });
    expect(nested).toMatchObject({ result: "b" });
    expect(seen).toEqual(["once", "twice", "twice", "once"]);
    const once = await wrapped.started("once");
    expect(once).toMatchObject({ parent_uuid: outer.uuid });
    expect(await wrapped.started("twice")).toMatchObject({ parent_uuid: once?.uuid });
    expect(relay.getHandle()).toBe(outer);
  });
}

async function streamStory({ relay }: Registered): Promise<void> {
  const seen: string[] = [];
  async function* provider(): AsyncIterable<unknown> {
    for (const chunk of ["one", "two"]) {
      seen.push(relay.getHandle().name);
      yield chunk;
    }
    seen.push(relay.getHandle().name);
  }
  const request = { headers: {}, content: { model: "m" } };
  const options = { collector: (): void => void seen.push(`heard in ${relay.getHandle().name}`) };
  const stream = await relay.withScope("opener", ScopeType.Agent, () =>
    relay.llmStreamCallExecute("model", request, provider, options),
  );
  const heard: unknown[] = [];
  await relay.withScope("reader", ScopeType.Agent, async (reader) => {
    for await (const chunk of stream) heard.push(chunk);
    expect(relay.getHandle()).toBe(reader);
  });
  expect(heard).toEqual(["one!", "two!", "the end"]);
  const polled = ["model", "heard in model"];
  expect(seen).toEqual([...polled, ...polled, ...polled]);
}
