/** The lists of installed plugins: two scopes, decisions, files that several processes change. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
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
  const source = new URL("../../src/installed/installed-plugins.ts", import.meta.url).href;

  /** A process that adds `count` plugins, one after the other. */
  function adding(home: Home, name: string, count: number): ChildProcess {
    const program = `
      const { addInstalled } = await import(${JSON.stringify(source)});
      for (let i = 0; i < ${count}; i += 1)
        await addInstalled(${JSON.stringify(home.scopes)}, "user", { id: "${name}-" + i, manifest: "/x" });
    `;
    return spawn(process.execPath, ["--conditions=troupe-source", "--input-type=module", "-e", program], {
      stdio: ["ignore", "inherit", "inherit"],
    });
  }

  test("that change a list at the same time lose nothing, and readers see whole files", async () => {
    using home = new Home();
    const children = ["a", "b", "c"].map((name) => adding(home, name, 15));
    const ended = Promise.all(children.map((child) => once(child, "exit")));
    let running = true;
    void ended.then(() => {
      running = false;
    });
    let seen = 0;
    while (running) {
      const now = (await home.ids()).length;
      expect(now).toBeGreaterThanOrEqual(seen);
      seen = now;
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect((await ended).map(([code]) => code)).toEqual([0, 0, 0]);
    expect((await home.ids()).length).toBe(45);
    expect(readdirSync(home.scopes.user)).toEqual(["plugins.json"]);
  });

  test("one that died with the lock in its hand stops nobody; one that lives does, and is named", async () => {
    using home = new Home();
    mkdirSync(home.scopes.user, { recursive: true });
    const lock = `${userFile(home.scopes)}.lock`;
    const { pid } = spawnSync(process.execPath, ["--version"]);
    writeFileSync(lock, String(pid));
    writeFileSync(`${userFile(home.scopes)}.half-written`, `{ "version": 1, "plug`);
    await Promise.all(
      ["one", "two", "three"].map((id) => addInstalled(home.scopes, "user", { id, manifest: "/x" })),
    );
    expect([...(await home.ids())].sort()).toEqual(["user/one", "user/three", "user/two"]);
    expect(existsSync(lock)).toBe(false);
    writeFileSync(lock, String(process.pid));
    await expect(addInstalled(home.scopes, "user", { id: "four", manifest: "/x" })).rejects.toMatchObject({
      code: "state_locked",
      metadata: { holder: process.pid },
    });
    expect(readFileSync(lock, "utf8")).toBe(String(process.pid));
  });
});
