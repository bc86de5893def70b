/** `troupe start --hosts n`: a program's actors in processes of their own, behind one gateway. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { createClient } from "@troupe/client";
import { expect, test } from "vitest";
import { PluginFolder } from "./support/plugin-folder.ts";
import { Started } from "./support/started.ts";
import { Troupe } from "./support/troupe.ts";

const program = `
  import { actor, setup } from ${JSON.stringify(import.meta.resolve("troupe"))};
  export const counter = actor({
    state: { count: 0 },
    actions: {
      increment: (c, by) => (c.state.count += by),
      pid: () => process.pid,
      other: async (c, key) => await c.client().getOrCreate("counter", key).action({ name: "increment", args: [1] }),
    },
  });
  export const registry = setup({ use: { counter }, maxAwakeActors: 1000, fetch: () => new Response("a page of " + process.pid) });`;

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

test("two hosts share the actors; kill -9 of one hurts its own alone, which go on in the other, and it comes back", async () => {
  using folder = new PluginFolder();
  const args = ["--port", "0", "--data", join(folder.path, "data"), "--hosts", "2"];
  await using troupe = Started.troupe(["start", folder.write("program.ts", program), ...args]);
  const out = await troupe.said(/2 hosts: .*\n/);
  const endpoint = /(http:\S+)/.exec(out)?.[1] ?? out;
  const client = createClient(endpoint);
  const call = (key: string, name: string, ...given: unknown[]) =>
    client.getOrCreate("counter", key).action<number>({ name, args: given });
  const keys = Array.from({ length: 8 }, (_, index) => String(index));
  const placed = new Map<string, number>();
  for (const key of keys) {
    await call(key, "increment", 1);
    placed.set(key, await call(key, "pid"));
  }
  const [victim = 0, other = 0, ...more] = new Set(placed.values());
  expect([more, out.includes(String(victim)), out.includes(String(other))]).toEqual([[], true, true]);
  const [across = ""] = keys.filter((key) => placed.get(key) === other);
  const [own = ""] = keys.filter((key) => placed.get(key) === victim);
  expect(await call(own, "other", across)).toBe(2);
  expect(await (await fetch(endpoint)).text()).toContain(`a page of ${troupe.pid}`);

  process.kill(victim, "SIGKILL");
  const during = keys.map(async (key) => {
    for (let turn = 0; turn < 5; turn += 1)
      if (placed.get(key) === other) expect(await call(key, "pid")).toBe(other);
      else await expect.poll(() => call(key, "pid").catch(() => 0)).toBeGreaterThan(0);
  });
  await Promise.all(during);
  for (const key of keys) expect(await call(key, "increment", 1)).toBe(key === across ? 3 : 2);
  expect(await troupe.said(/host \d \(\d+\) ended with SIGKILL; starts again/)).toContain(`(${victim})`);
  let turn = 0;
  await expect.poll(() => call(`new-${turn++}`, "pid")).not.toBe(other);
  await client.dispose();
  const before = troupe.out.length;
  const { code, out: all } = await troupe.ended("SIGTERM");
  // Its end is nothing to warn of.
  const warned = all
    .slice(before)
    .split("\n")
    .filter((line) => /"level":"(warn|error)"/.test(line));
  expect([code, warned]).toEqual([0, []]);
  expect(isAlive(other)).toBe(false);
});

test("processes that a host's actor starts don't have what the host shows its engine", async () => {
  using folder = new PluginFolder();
  const args = ["--port", "0", "--data", join(folder.path, "data"), "--hosts", "1"];
  const file = `
  import { actor, setup } from ${JSON.stringify(import.meta.resolve("troupe"))};
  import { execFileSync } from "node:child_process";
  const ask = "console.log(JSON.stringify(process.env))";
  const shell = actor({ actions: { environment: () => JSON.parse(execFileSync(process.execPath, ["-e", ask])) } });
  export const registry = setup({ use: { shell } });`;
  await using troupe = Started.troupe(["start", folder.write("program.ts", file), ...args]);
  const endpoint = /(http:\S+)/.exec(await troupe.said(/1 hosts: .*\n/))?.[1] ?? "";
  const client = createClient(endpoint);
  const given = await client
    .getOrCreate("shell", "a")
    .action<Record<string, string>>({ name: "environment", args: [] });
  const known = Object.entries(given).filter(([name]) => name.startsWith("TROUPE_"));
  expect(Object.fromEntries(known)).toMatchObject({ TROUPE_ENDPOINT: endpoint, TROUPE_HOST_PROCESS: "1" });
  const secrets = Object.values(given).filter((value) => /engine\.sock|"token"/.test(value));
  expect(secrets).toEqual([]);
  await client.dispose();
});

test("hosts end with the process that started them, however it ended", async () => {
  using folder = new PluginFolder();
  const args = ["--port", "0", "--data", join(folder.path, "data"), "--hosts", "1"];
  const start = ["start", folder.write("program.ts", program), ...args];
  await using troupe = Started.troupe(start, { TMPDIR: folder.path });
  const pid = Number(/1 hosts: (\d+)/.exec(await troupe.said(/1 hosts: \d+\n/))?.[1]);
  troupe.kill("SIGKILL");
  await expect.poll(() => isAlive(pid)).toBe(false);
  expect(readdirSync(folder.path).filter((name) => name.startsWith("troupe-hosts-"))).toEqual([]);
});

test("what can't run in several processes is refused before anything is started", async () => {
  using troupe = new Troupe();
  const refused = (...args: readonly string[]) =>
    troupe.run(...args).catch((error: unknown) => Object(error).code);
  const file = troupe.write("program.ts", program);
  for (const count of ["0", "65", "two", "-1"])
    expect(await refused("start", file, `--hosts=${count}`)).toBe("invalid_option");
  expect(await refused("host", file)).toBe("no_supervisor");
  troupe.env = { TROUPE_ENDPOINT: "http://127.0.0.1:1" };
  expect(await refused("start", file, "--hosts", "2")).toBe("both_given");
});

test("a program that ends before it serves fails the start, and leaves nothing open", async () => {
  using folder = new PluginFolder();
  const file = folder.write(
    "program.ts",
    `${program}\nif (process.env.TROUPE_HOST_PROCESS) process.exit(7);`,
  );
  const args = ["--port", "0", "--data", join(folder.path, "data"), "--hosts", "1"];
  const { code, out } = await Started.troupe(["start", file, ...args]).ended();
  expect([code, /\[config\.\w+\]/.exec(out)?.[0]]).toEqual([1, "[config.host_failed]"]);
});
