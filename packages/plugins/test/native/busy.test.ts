/** A native actor that is busy: its connections are nobody's matter but the runtime's. */
import { setup, setupTest } from "@troupe/runtime";
import { expect, test } from "vitest";
import { pluginActor } from "../../src/plugin-actor.ts";
import { cExample } from "../support/built.ts";

test("S4.1 (in part) while a native actor's first action goes on, connections open, act and close", async (context) => {
  const built = await cExample("echo");
  if (built.missing !== undefined) return context.skip(built.missing);
  const registry = setup({ use: { echo: pluginActor({ library: built.path }) } });
  const { client } = await setupTest(context, registry);
  const handle = client.echo.getOrCreate(["busy"]);
  let answered = false;
  const long = handle.action({ name: "muchLater", args: [Uint8Array.of(1)] }).then((answer) => {
    answered = true;
    return answer;
  });
  for (let index = 0; index < 50; index += 1) {
    const connection = handle.connect();
    connection.on("said", () => {});
    expect(await connection.action({ name: "echo", args: [Uint8Array.of(index)] })).toEqual(
      Uint8Array.of(index),
    );
    await connection.dispose();
  }
  expect(answered).toBe(false);
  expect(await long).toEqual(Uint8Array.of(1));
});
