/** `createNativePluginFactory`: `pluginActor({ library })` by the name that it has in RivetKit. */
import { createRelay } from "@troupe/relay/node";
import { setup, setupTest } from "@troupe/runtime";
import { nodeEnv } from "@troupe/runtime/process";
import { expect, test } from "vitest";
import {
  createNativePluginFactory,
  type NativePluginFactoryOptions,
} from "../../src/native-plugin-factory.ts";
import { cExample, cPlugin } from "../support/built.ts";

test("S1.5 what the factory makes is a definition as `pluginActor` makes it: its actor counts, and it is frozen", async (context) => {
  const library = await cExample("counter");
  if (library.missing !== undefined) return context.skip(library.missing);
  const counter = createNativePluginFactory({ pluginPath: library.path, configJson: '{ "step": 1 }' });
  expect([Object.isFrozen(counter), Object.isFrozen(counter.behaviour)]).toEqual([true, true]);
  const { client } = await setupTest(context, setup({ use: { counter } }));
  const handle = client.counter.getOrCreate(["a"]);
  expect(await handle.action({ name: "increment", args: [2] })).toBe(2);
  expect(await handle.action({ name: "increment", args: [3] })).toBe(5);
});

test("guardrails of a bare library would be in force nowhere: under a relay nothing starts with it; what can't be opened is its caller's to hear", async (context) => {
  const library = await cPlugin("lanes");
  if (library.missing !== undefined) return context.skip(library.missing);
  const lanes = createNativePluginFactory({ pluginPath: library.path });
  const quiet = { port: 0, signals: false, banner: false, durability: "memory" } as const;
  const starting = setup({ use: { lanes }, relay: createRelay() }).start(quiet);
  await expect(starting).rejects.toMatchObject({ group: "plugin", code: "not_in_force" });
  const none = createNativePluginFactory({ pluginPath: `${library.path}.none` });
  const { client } = await setupTest(context, setup({ use: { none }, relay: createRelay() }));
  const asked = client.none.getOrCreate(["a"]).action({ name: "get", args: [] });
  await expect(asked).rejects.toMatchObject({ code: "start_failed" });
});

test("the library gets the configuration: one that it doesn't want is its own error", async (context) => {
  const library = await cExample("guardrail");
  if (library.missing !== undefined) return context.skip(library.missing);
  const it = { actorId: "1", namespace: "default", name: "it", key: [], input: undefined };
  const failing = async (configJson?: string) => {
    const options = { pluginPath: library.path, ...(configJson && { configJson }) };
    const source = createNativePluginFactory(options).behaviour.source({
      env: nodeEnv({ logLevel: "silent" }),
      name: "it",
    });
    return await Promise.resolve(source.carrier(it)).catch((error) => error);
  };
  expect(await failing("[1]")).toMatchObject({
    code: "refused",
    message: expect.stringContaining("must be a JSON object"),
  });
  // It has no actor, and nothing against the configuration.
  for (const configJson of ['{ "step": 1 }', undefined])
    expect(await failing(configJson)).toMatchObject({ code: "which_actor" });
});

test("what it doesn't take is refused by name, and a configuration that isn't JSON", () => {
  const ours: NativePluginFactoryOptions = { pluginPath: "a.so", ...{ sidecarPath: "sidecar" } };
  const refused = (message: string) =>
    expect.objectContaining({
      group: "plugin",
      code: "bad_option",
      message: expect.stringContaining(message),
    });
  expect(() => createNativePluginFactory(ours)).toThrow(refused('no option "sidecarPath"'));
  expect(() => createNativePluginFactory({ pluginPath: "a.so", configJson: "{" })).toThrow(
    refused("`configJson` must be JSON"),
  );
  expect(() => createNativePluginFactory({ pluginPath: "" })).toThrow(refused("library"));
});
