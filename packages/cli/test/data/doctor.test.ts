/** `troupe doctor DATA`: for people and for programs, and what it saves. */
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { actor, setup } from "@troupe/runtime";
import { expect, test } from "vitest";
import { Troupe } from "../support/troupe.ts";

const counter = actor({
  state: { text: "" },
  actions: { write: (c, text: string) => (c.state.text = text) },
});

async function written(dataDir: string): Promise<void> {
  const registry = setup({ use: { counter } });
  await registry.start({ port: 0, dataDir, signals: false, banner: false });
  const { counter: counters } = await registry.client();
  for (const key of ["a", "b"]) await counters.getOrCreate(key).write(`text of ${key}`);
  await registry.stop();
}

test("it says that nothing is wrong, or what is, and saves what can be read", async () => {
  using troupe = new Troupe();
  const data = join(troupe.path, "data");
  await written(data);
  expect(await troupe.run("doctor", data)).toMatchObject({
    failed: false,
    out: expect.stringMatching(/✓ shard-00\.db: 2 actors.*Nothing is wrong with the data\.\n$/s),
  });
  const shard = join(data, "shard-00.db");
  const bytes = readFileSync(shard);
  bytes[bytes.indexOf("text of b")] = 0x54;
  writeFileSync(shard, bytes);
  const { out, failed } = await troupe.run("doctor", data, "--json");
  expect(failed).toBe(true);
  expect(JSON.parse(out)).toMatchObject({
    ok: false,
    findings: expect.arrayContaining([
      expect.objectContaining({
        check: "shard-00.db",
        level: "problem",
        mend: expect.stringContaining("--salvage"),
      }),
    ]),
  });
  const to = join(troupe.path, "saved");
  const said = await troupe.run("doctor", data, "--salvage", to);
  expect(said.out).toMatch(/shard-00\.db: 1 actors are whole, 1 are not\n {2}counter \["b"\]/);
  expect(existsSync(join(to, "salvage.json"))).toBe(true);
  await expect(troupe.run("doctor", data, "--salvage", to)).rejects.toMatchObject({ code: "target_exists" });
  rmSync(shard);
  expect((await troupe.run("doctor", data)).out).toMatch(/✗ shard-00\.db: it is missing/);
  await expect(troupe.run("doctor", "--salvage", to)).rejects.toMatchObject({ code: "usage" });
});

test("a folder that a server has was not checked, and doesn't pass for good", async () => {
  using troupe = new Troupe();
  const data = join(troupe.path, "data");
  const registry = setup({ use: { counter } });
  await registry.start({ port: 0, dataDir: data, signals: false, banner: false });
  try {
    expect(await troupe.run("doctor", data)).toMatchObject({
      exitCode: 75,
      out: expect.stringMatching(/The data was not checked: a process has it\.\n$/),
    });
    const { out } = await troupe.run("doctor", data, "--json");
    expect(JSON.parse(out)).toMatchObject({ ok: false, checked: false });
  } finally {
    await registry.stop();
  }
});
