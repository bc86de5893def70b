/** `createNativePluginFactory`: `pluginActor({ library })` by the name that it has in RivetKit. */
import { setup, setupTest } from "@troupe/runtime";
import { expect, test } from "vitest";
import {
  createNativePluginFactory,
  type NativePluginFactoryOptions,
} from "../../src/native-plugin-factory.ts";
import { cExample } from "../support/built.ts";

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
