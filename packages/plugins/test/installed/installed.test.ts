/** The lists of installed plugins: two scopes, decisions, files that several processes change. */
import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import {
  addInstalled,
  decide,
  enabledSources,
  findInstalled,
  readInstalled,
  removeInstalled,
} from "../../src/installed/installed-plugins.ts";
import { readPolicy } from "../../src/installed/policy.ts";
import { findScopes, policyFile, projectFile, type Scopes, userFile } from "../../src/installed/scopes.ts";
import { PluginFolder } from "../support/plugin-folder.ts";

class Home implements Disposable {
  readonly folder = new PluginFolder();
  readonly scopes: Scopes = {
    user: join(this.folder.path, "config/troupe"),
    project: join(this.folder.path, "project"),
  };

  constructor() {
    mkdirSync(this.scopes.project);
  }

  async ids(): Promise<readonly string[]> {
    return (await readInstalled(this.scopes)).map(({ scope, id }) => `${scope}/${id}`);
  }

  [Symbol.dispose](): void {
    this.folder[Symbol.dispose]();
  }
}

test("the project is the nearest folder above that has a list; the user's folder is where the environment says", () => {
  using home = new Home();
  const below = join(home.scopes.project, "src/deep");
  mkdirSync(below, { recursive: true });
  expect(findScopes(below, { HOME: "/h" })).toEqual({ user: "/h/.config/troupe", project: below });
  writeFileSync(projectFile(home.scopes), "{}");
  expect(findScopes(below, { HOME: "/h", XDG_CONFIG_HOME: "/c" })).toEqual({
    user: "/c/troupe",
    project: home.scopes.project,
  });
});

test("what is added is disabled; the user's comes before the project's of the same id", async () => {
  using home = new Home();
  const { scopes } = home;
  await addInstalled(scopes, "project", {
    id: "both",
    manifest: join(scopes.project, "p/troupe-plugin.toml"),
  });
  expect(enabledSources(await readInstalled(scopes))).toEqual([]);
  await decide(scopes, { id: "both", scope: "project" }, { enabled: true, config: { a: 1 } });
  expect(enabledSources(await readInstalled(scopes))).toEqual([
    { manifest: join(scopes.project, "p/troupe-plugin.toml"), trusted: false, config: { a: 1 } },
  ]);
  await addInstalled(scopes, "user", { id: "both", manifest: "/u/troupe-plugin.toml" });
  const installed = await readInstalled(scopes);
  expect(installed).toMatchObject([
    { id: "both", scope: "user", enabled: false, shadowed: false },
    { id: "both", scope: "project", enabled: true, shadowed: true },
  ]);
  // The user's is disabled: the project's doesn't run in its place.
  expect(enabledSources(installed)).toEqual([]);
  expect(findInstalled(installed, "both").scope).toBe("user");
  expect(findInstalled(installed, "both", "project").scope).toBe("project");
  await expect(
    addInstalled(scopes, "user", { id: "both", manifest: "/other/troupe-plugin.toml" }),
  ).rejects.toMatchObject({
    code: "already_added",
    message: expect.stringContaining("/u/troupe-plugin.toml"),
  });
});

test("a project's list says what there is and never what runs: a repository enables nothing by itself", async () => {
  using home = new Home();
  const { scopes } = home;
  await addInstalled(scopes, "project", {
    id: "tool",
    manifest: join(scopes.project, "tool/troupe-plugin.toml"),
  });
  await decide(scopes, { id: "tool", scope: "project" }, { enabled: true, trusted: true });
  const text = readFileSync(projectFile(scopes), "utf8");
  expect(JSON.parse(text)).toEqual({
    version: 1,
    plugins: { tool: { manifest: "tool/troupe-plugin.toml" } },
  });
  // The same repository elsewhere: nobody has decided anything there.
  const clone = join(home.folder.path, "clone");
  mkdirSync(clone);
  writeFileSync(join(clone, "troupe-plugins.json"), text);
  expect(await readInstalled({ ...scopes, project: clone })).toMatchObject([
    { id: "tool", manifest: join(clone, "tool/troupe-plugin.toml"), enabled: false, trusted: false },
  ]);
  // Nor can it say so itself.
  writeFileSync(
    projectFile(scopes),
    JSON.stringify({ version: 1, plugins: { tool: { manifest: "x", enabled: true } } }),
  );
  await expect(readInstalled(scopes)).rejects.toMatchObject({ code: "state_malformed" });
});

test("what is removed and added again is undecided", async () => {
  using home = new Home();
  const { scopes } = home;
  for (const scope of ["user", "project"] as const) {
    const plugin = { id: "again", manifest: join(scopes.project, "again/troupe-plugin.toml") };
    await addInstalled(scopes, scope, plugin);
    await decide(scopes, { id: "again", scope }, { enabled: true, trusted: true });
    await removeInstalled(scopes, { id: "again", scope });
    await addInstalled(scopes, scope, plugin);
    const found = findInstalled(await readInstalled(scopes), "again", scope);
    expect(found).toMatchObject({ enabled: false, trusted: false });
  }
});

describe("files that can't be used are refused by name, and never written over", () => {
  const wrong: [what: string, text: string, message: string][] = [
    ["half a file", `{ "version": 1, "plug`, "it isn't JSON"],
    ["a newer version", `{ "version": 2, "plugins": {}, "decisions": {} }`, "version is 2, and must be 1"],
    ["an unknown key", `{ "version": 1, "plugins": {}, "decisions": {}, "more": 1 }`, "it has no key more"],
    [
      "a plugin that is none",
      `{ "version": 1, "plugins": { "a": 5 }, "decisions": {} }`,
      "plugins.a must be",
    ],
    [
      "half a decision",
      `{ "version": 1, "plugins": {}, "decisions": { "user": { "a": { "enabled": "yes", "trusted": false } } } }`,
      "decisions.user.a.enabled and .trusted",
    ],
  ];
  test.each(wrong)("%s", async (_what, text, message) => {
    using home = new Home();
    mkdirSync(home.scopes.user, { recursive: true });
    writeFileSync(userFile(home.scopes), text);
    const refusal = { code: "state_malformed", message: expect.stringContaining(message) };
    await expect(readInstalled(home.scopes)).rejects.toMatchObject(refusal);
    await expect(
      addInstalled(home.scopes, "user", { id: "a", manifest: "/a/troupe-plugin.toml" }),
    ).rejects.toMatchObject(refusal);
    expect(readFileSync(userFile(home.scopes), "utf8")).toBe(text);
    expect(readdirSync(home.scopes.user)).toEqual(["plugins.json"]);
  });
});

test("the policy is the user's file: a rule, and keys that are keys", async () => {
  using home = new Home();
  const { scopes } = home;
  expect(await readPolicy(scopes)).toEqual({ signatures: "integrity_only", trustedKeys: [] });
  mkdirSync(scopes.user, { recursive: true });
  const written = async (value: unknown) => {
    writeFileSync(policyFile(scopes), JSON.stringify(value));
    return await readPolicy(scopes).catch((error) => error.code);
  };
  const key = `ed25519:${"A".repeat(43)}=`;
  expect(await written({ signatures: "signature_required", trustedKeys: [key] })).toEqual({
    signatures: "signature_required",
    trustedKeys: [key],
  });
  expect(await written({ signatures: "none" })).toBe("state_malformed");
  expect(await written({ signatures: "integrity_only", keys: [] })).toBe("state_malformed");
  expect(await written({ signatures: "integrity_only", trustedKeys: ["rsa:x"] })).toBe("key_invalid");
});

describe("several processes", () => {
  const sources = new URL("../../src/installed/", import.meta.url).href;

  /** Runs `program`, which has what it needs of the lists, and the scopes. */
  function running({ scopes }: Home, program: string): ChildProcess {
    const imports = `
      import { addInstalled } from "${sources}installed-plugins.ts";
      import { whileLocked } from "${sources}json-file.ts";
      import { userFile } from "${sources}scopes.ts";
      const scopes = ${JSON.stringify(scopes)};
    `;
    return spawn(
      process.execPath,
      ["--conditions=troupe-source", "--input-type=module", "-e", imports + program],
      { stdio: ["pipe", "pipe", "inherit"] },
    );
  }

  /** A process that adds plugins, one after the other, until it is told to end; then it says how many. */
  function adding(home: Home, name: string): { readonly ended: () => Promise<number> } {
    const child = running(
      home,
      `
      let isOver = false;
      process.stdin.resume().on("end", () => (isOver = true));
      let count = 0;
      for (; !isOver; count += 1) await addInstalled(scopes, "user", { id: "${name}-" + count, manifest: "/x" });
      process.stdout.write(String(count));
      `,
    );
    const said = wordsOf(child);
    return {
      ended: async () => {
        child.stdin?.end();
        return Number(await said);
      },
    };
  }

  /** A process that has the lock, for good. */
  async function holding(home: Home): Promise<ChildProcess> {
    const child = running(
      home,
      `
      const forever = () => new Promise(() => process.stdin.resume().once("data", () => {}));
      await whileLocked(userFile(scopes), () => (process.stdout.write("held"), forever()));
      `,
    );
    if (child.stdout !== null) await once(child.stdout, "data");
    return child;
  }

  async function wordsOf(child: ChildProcess): Promise<string> {
    let text = "";
    for await (const chunk of child.stdout ?? []) text += chunk;
    return text;
  }

  async function killed(child: ChildProcess): Promise<void> {
    const gone = once(child, "exit");
    child.kill("SIGKILL");
    await gone;
  }

  test("that change a list at the same time lose nothing, though some are killed with the lock in their hand, and readers see whole files", async () => {
    using home = new Home();
    const writers = ["a", "b", "c", "d"].map((name) => adding(home, name));
    let seen = 0;
    for (let round = 0; round < 8; round += 1) {
      const holder = await holding(home);
      const now = (await home.ids()).length;
      expect(now).toBeGreaterThanOrEqual(seen);
      seen = now;
      // The others wait for it by now, or come to: one of them has the lock next.
      await killed(holder);
    }
    const counts = await Promise.all(writers.map(({ ended }) => ended()));
    expect(Math.min(...counts)).toBeGreaterThan(0);
    const added = counts.flatMap((count, of) =>
      Array.from({ length: count }, (_, number) => `user/${"abcd"[of]}-${number}`),
    );
    expect([...(await home.ids())].sort()).toEqual(added.sort());
    expect(readdirSync(home.scopes.user)).toEqual(["plugins.json"]);
  });

  test("one that died in the middle of its change stops nobody; one that lives does", async () => {
    using home = new Home();
    await killed(await holding(home));
    writeFileSync(`${userFile(home.scopes)}.half-written`, `{ "version": 1, "plug`);
    await Promise.all(
      ["one", "two", "three"].map((id) => addInstalled(home.scopes, "user", { id, manifest: "/x" })),
    );
    expect([...(await home.ids())].sort()).toEqual(["user/one", "user/three", "user/two"]);
    const lock = `${userFile(home.scopes)}.lock.db`;
    expect(existsSync(lock)).toBe(false);
    const holder = await holding(home);
    try {
      await expect(addInstalled(home.scopes, "user", { id: "four", manifest: "/x" })).rejects.toMatchObject({
        code: "state_locked",
        metadata: { lock },
      });
      expect(existsSync(lock)).toBe(true);
    } finally {
      await killed(holder);
    }
    await addInstalled(home.scopes, "user", { id: "four", manifest: "/x" });
  });

  test("what killed ones have left goes with the next change: half a list at once, a name of the lock after an hour", async () => {
    using home = new Home();
    await addInstalled(home.scopes, "user", { id: "one", manifest: "/x" });
    const [half, name] = ["", ".lock.db"].map((of) => `plugins.json${of}.${randomUUID()}`);
    for (const left of [half, name, "plugins.json.mine"])
      writeFileSync(join(home.scopes.user, `${left}`), "");
    const left = () => readdirSync(home.scopes.user).sort();
    await addInstalled(home.scopes, "user", { id: "two", manifest: "/x" });
    expect(left()).toEqual(["plugins.json", name, "plugins.json.mine"]);
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 2 * 60 * 60_000 });
    try {
      await addInstalled(home.scopes, "user", { id: "three", manifest: "/x" });
    } finally {
      vi.useRealTimers();
    }
    expect(left()).toEqual(["plugins.json", "plugins.json.mine"]);
    expect([...(await home.ids())].sort()).toEqual(["user/one", "user/three", "user/two"]);
  });
});
