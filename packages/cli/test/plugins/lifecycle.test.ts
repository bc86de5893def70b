/** `troupe plugins`: from a folder on disk to a plugin that may run, and back. */
import { ChildProcess, spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, assert, describe, expect, test, vi } from "vitest";
import { failureOf } from "../../src/failure.ts";
import { PluginFolder, sha256 } from "../support/plugin-folder.ts";
import { Troupe } from "../support/troupe.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

const guardrail = `{ kind: "tool_conditional_execution_guardrail", name: "open", handle: () => null }`;

/** Node's types don't tell of the method that every way to start a process ends in. */
function startsProcesses(value: object): value is { spawn: (options: unknown) => unknown } {
  return "spawn" in value;
}

function watchProcesses() {
  const prototype: object = ChildProcess.prototype;
  assert(startsProcesses(prototype));
  return vi.spyOn(prototype, "spawn");
}

test("a plugin is added disabled, enabled, pinned, disabled and removed, and each step says so", async () => {
  using folder = new PluginFolder();
  using troupe = new Troupe();
  const manifest = folder.worker("calm", guardrail);
  const spawn = watchProcesses();
  expect((await troupe.plugins("list")).out).toBe("No plugins. Add one with: troupe plugins add <folder>\n");
  expect((await troupe.plugins("validate", manifest)).out).toMatch(/^calm \d+\.\d+\.\d+ is valid: /);
  expect((await troupe.plugins("add", join(folder.path, "calm"))).out).toMatch(
    /^Added calm \S+ to the user scope\. It is disabled: troupe plugins enable calm\n$/,
  );
  expect((await troupe.plugins("list")).out).toMatch(
    /^ID {4}VERSION {2}KIND {4}SCOPE {2}STATE\ncalm {2}\S+ {4}worker {2}user {3}disabled\n$/,
  );
  expect((await troupe.plugins("enable", "calm")).out).toBe(
    "Enabled calm. It runs in its own process from the next start or reload on.\n" +
      "It gets your files, the network, and of the host's environment NODE_COMPILE_CACHE.\n",
  );
  expect((await troupe.plugins("verify")).out).toBe(
    "calm: nothing to compare it with: it is not pinned, and its manifest has no digests\n",
  );
  expect((await troupe.plugins("pin", "calm")).out).toMatch(
    /^Pinned calm: its manifest and 1 file\. Anything else is refused from now on\.\n {2}[0-9a-f]{64} {2}main\.ts\n$/,
  );
  expect((await troupe.plugins("verify")).out).toBe("calm: as it was pinned\n");
  expect((await troupe.plugins("inspect", "calm")).out).toMatch(/^State +enabled$.*^Configured +no$/ms);
  expect((await troupe.plugins("disable", "calm")).out).toBe("Disabled calm.\n");
  expect((await troupe.plugins("remove", "calm")).out).toBe(
    `Removed calm from the user scope. Its files are still there: ${manifest}\n`,
  );
  expect(existsSync(manifest)).toBe(true);
  expect(await troupe.json("list")).toEqual({ plugins: [] });
  expect(spawn, "nothing of a plugin runs").not.toHaveBeenCalled();
});

test("each command says one JSON object with --json, the same one in a dry run", async () => {
  using folder = new PluginFolder();
  using troupe = new Troupe();
  const manifest = folder.worker("plain", guardrail);
  const life = [
    ["new", "made", "--lang", "typescript"],
    ["validate", manifest],
    ["add", manifest],
    ["enable", "plain"],
    ["pin", "plain"],
    ["verify"],
    ["inspect", "plain"],
    ["list"],
    ["disable", "plain"],
    ["remove", "plain"],
  ];
  const readers = new Set(["validate", "verify", "inspect", "list"]);
  for (const command of life) {
    const dry = readers.has(command[0] ?? "") ? undefined : await troupe.json(...command, "--dry-run");
    const said = await troupe.json(...command);
    assert(typeof said === "object" && said !== null, command.join(" "));
    if (dry !== undefined) expect(dry, command.join(" ")).toEqual({ ...said, dryRun: true });
  }
});

test("a plugin that changed after it was pinned isn't run, and list, inspect and verify say so", async () => {
  using folder = new PluginFolder();
  using troupe = new Troupe();
  const manifest = folder.worker("pinned", guardrail);
  await troupe.plugins("add", manifest);
  await troupe.plugins("pin", "pinned");
  await troupe.plugins("enable", "pinned");
  writeFileSync(join(folder.path, "pinned/main.ts"), "process.exit(1)");
  const { out, failed } = await troupe.plugins("verify", "pinned");
  expect(failed).toBe(true);
  expect(out).toContain("[plugin.pin_mismatch]");
  expect((await troupe.plugins("list")).out).toContain("enabled, can't run");
  expect(await troupe.json("inspect", "pinned")).toMatchObject({
    plugin: { enabled: true, pinned: true, runsIn: null, problem: { code: "plugin.pin_mismatch" } },
  });
  expect(await troupe.refused("enable", "pinned")).toBe("plugin.pin_mismatch");
  await troupe.plugins("pin", "pinned");
  expect((await troupe.plugins("verify")).failed).toBe(false);
  writeFileSync(manifest, readFileSync(manifest, "utf8").replace("required", "optional"));
  expect(await troupe.json("verify")).toMatchObject({
    plugins: [{ problem: { code: "plugin.pin_mismatch" } }],
  });
});

test.each(["constructor", "to-string", "hasownproperty"])(
  "an id or a file may be called as what every object has: %s",
  async (id) => {
    using folder = new PluginFolder();
    using troupe = new Troupe();
    const program = folder.write(`${id}/__proto__`, "#!/bin/sh\n");
    const load = 'runtime = "command"\nentrypoint = "__proto__"';
    const manifest = folder.manifest(id, { kind: "worker", load });
    for (const scope of ["--user", "--project"]) await troupe.plugins("add", manifest, scope);
    expect(await troupe.refused("add", manifest)).toBe("plugin.already_added");
    await troupe.plugins("enable", id);
    const pinned = await troupe.json("pin", id);
    expect(
      Object.getOwnPropertyNames((pinned as { pinned: { pins: { files: object } } }).pinned.pins.files),
    ).toEqual(["__proto__"]);
    expect(await troupe.json("list", "--user")).toMatchObject({
      plugins: [{ id, enabled: true, pinned: true, problem: null }],
    });
    writeFileSync(program, "#!/bin/sh\nexit 1\n");
    expect(await troupe.json("list")).toMatchObject({
      plugins: [
        { scope: "user", problem: { code: "plugin.pin_mismatch" } },
        { scope: "project", shadowed: true },
      ],
    });
    for (const scope of ["--user", "--project"]) await troupe.plugins("remove", id, scope);
    expect(await troupe.json("list")).toEqual({ plugins: [] });
  },
);

test("before a plugin runs its user is told what it gets: variables of the host, network, files, arguments", async () => {
  using folder = new PluginFolder();
  using troupe = new Troupe();
  folder.write("keen/main.ts", "");
  folder.write("keen/main.wasm", "");
  folder.write("keen/lib.so", "");
  const worker =
    'runtime = "node"\nentrypoint = "main.ts"\nenv = ["AWS_SECRET_ACCESS_KEY"]\nargs = ["--all"]';
  const none = { environment: [], network: true, files: true, args: [] };
  const outside = "your files, the network, and of the host's environment";
  const rows = [
    [
      "worker",
      worker,
      `${outside} AWS_SECRET_ACCESS_KEY; the arguments ["--all"]`,
      { ...none, environment: ["AWS_SECRET_ACCESS_KEY"], args: ["--all"] },
    ],
    ["native", 'library = "lib.so"\nisolation = "in_process"', `${outside} nothing`, none],
    [
      "isolate",
      'module = "main.ts"',
      "no files, no network, nothing of the environment",
      { ...none, network: false, files: false },
    ],
    [
      "wasm",
      'wasm = "main.wasm"',
      "no files, no network, nothing of the environment",
      { ...none, network: false, files: false },
    ],
    ["module", 'module = "main.ts"', "all that the host's process has", { ...none, environment: "all" }],
  ] as const;
  for (const [kind, load, words, gets] of rows) {
    const manifest = folder.manifest("keen", { kind, load });
    await troupe.plugins("add", manifest);
    expect((await troupe.plugins("validate", manifest)).out, kind).toContain(`It gets ${words}.\n`);
    expect(await troupe.json("validate", manifest), kind).toMatchObject({ gets });
    expect((await troupe.plugins("inspect", "keen")).out, kind).toMatch(
      new RegExp(`^Gets +${words.replace(/[[\]"]/g, ".")}$`, "m"),
    );
    expect(await troupe.json("inspect", "keen"), kind).toMatchObject({ plugin: { gets } });
    if (kind !== "module")
      expect((await troupe.plugins("enable", "keen")).out, kind).toContain(`It gets ${words}.\n`);
    await troupe.plugins("remove", "keen");
  }
});

test("--trust says what it changed: nothing but pins where the code runs elsewhere all the same", async () => {
  using folder = new PluginFolder();
  using troupe = new Troupe();
  folder.write("lib/lib.so", "");
  const unwished = folder.manifest("lib", { kind: "native", load: 'library = "lib.so"' });
  await troupe.plugins("add", unwished);
  expect((await troupe.plugins("enable", "lib", "--trust")).out).toContain(
    "--trust changes nothing here but the pins: its manifest",
  );
  folder.manifest("lib", { kind: "native", load: 'library = "lib.so"\nisolation = "in_process"' });
  await troupe.plugins("pin", "lib");
  const wished = await troupe.plugins("enable", "lib", "--trust");
  expect(wished.out).toContain("It gets all that the host's process has.");
  expect(wished.out).not.toContain("changes nothing");
  await troupe.plugins("add", folder.worker("calm", guardrail));
  expect((await troupe.plugins("enable", "calm", "--trust")).out).toContain("of the kind worker never runs");
});

test("trust is given by name, pins what is trusted, and is taken with the plugin's being disabled", async () => {
  using folder = new PluginFolder();
  using troupe = new Troupe();
  folder.write("inside/main.mjs", `export default { name: "inside" };`);
  const manifest = folder.manifest("inside", { kind: "module", load: 'module = "main.mjs"' });
  await troupe.plugins("add", manifest);
  expect(await troupe.refused("enable", "inside")).toBe("plugin.untrusted");
  const all = { environment: "all", network: true, files: true, args: [] };
  expect(await troupe.json("enable", "inside", "--trust")).toEqual({
    enabled: { id: "inside", scope: "user", trusted: true, pinned: true, runsIn: "this process", gets: all },
  });
  await troupe.plugins("disable", "inside");
  expect(await troupe.refused("enable", "inside")).toBe("plugin.untrusted");
});

test("a configuration is checked against the plugin's schema when it is enabled", async () => {
  using folder = new PluginFolder();
  using troupe = new Troupe();
  const manifest = folder.worker("words", guardrail);
  writeFileSync(manifest, `config_schema = "schema.json"\n${readFileSync(manifest, "utf8")}`);
  folder.write("words/schema.json", `{ "type": "object", "required": ["word"] }`);
  await troupe.plugins("add", manifest);
  expect((await troupe.plugins("validate", manifest)).failed).toBe(false);
  expect(await troupe.refused("enable", "words")).toBe("plugin.config_invalid");
  const config = folder.write("config.json", `{ "word": "please" }`);
  await troupe.plugins("enable", "words", "--config", config);
  expect(await troupe.json("inspect", "words")).toMatchObject({
    plugin: { enabled: true, problem: null, config: { word: "please" } },
  });
  expect(await troupe.refused("enable", "words", "--config", "none.json")).toBe("config.bad_plugin_config");
  // Whoever opens a pipe waits for its other end.
  const pipe = join(folder.path, "pipe");
  if (spawnSync("mkfifo", [pipe]).status === 0)
    expect(await troupe.refused("enable", "words", "--config", pipe)).toBe("config.bad_plugin_config");
});

test("the user's plugin comes before the project's of the same id; each scope can be meant", async () => {
  using folder = new PluginFolder();
  using troupe = new Troupe();
  const ours = folder.worker("both", guardrail);
  await troupe.plugins("add", ours, "--project");
  await troupe.plugins("enable", "both");
  await troupe.plugins("add", ours, "--user");
  const { plugins } = (await troupe.json("list")) as { plugins: object[] };
  expect(plugins).toMatchObject([
    { scope: "user", enabled: false, shadowed: false },
    { scope: "project", enabled: true, shadowed: true },
  ]);
  expect((await troupe.plugins("list", "--project")).out).toMatch(/project {2}shadowed\n$/);
  expect((await troupe.plugins("enable", "both", "--project")).out).toContain(
    "The user's scope has another both, and that is the one that runs.",
  );
  await troupe.plugins("remove", "both");
  expect(await troupe.json("list")).toMatchObject({ plugins: [{ scope: "project", shadowed: false }] });
  expect(await troupe.refused("list", "--user", "--project")).toBe("config.two_scopes");
});

test("an id is the plugin that is installed; without one, a folder of that name", async () => {
  using folder = new PluginFolder();
  using troupe = new Troupe();
  const elsewhere = folder.worker("twin", guardrail);
  await troupe.plugins("new", "twin", "--lang", "typescript");
  expect(await troupe.json("inspect", "twin")).toMatchObject({ plugin: { scope: null } });
  await troupe.plugins("add", elsewhere);
  expect(await troupe.json("inspect", "twin")).toMatchObject({
    plugin: { scope: "user", manifest: elsewhere },
  });
  expect(await troupe.json("validate", "./twin")).toMatchObject({ valid: true, version: "0.1.0" });
  expect(await troupe.refused("inspect", "twins")).toBe("plugin.not_added");
});

describe("S5.1 (in part) readers and dry runs change nothing", () => {
  test("not a file, not a time of change, not a process; without --dry-run they do", async () => {
    using folder = new PluginFolder();
    using troupe = new Troupe();
    const spawn = watchProcesses();
    const manifest = folder.worker("still", guardrail);
    const other = folder.worker("other", guardrail);
    const untouched = async (...commands: (readonly string[])[]) => {
      const before = [troupe.digest(), folder.digest()];
      for (const args of commands) {
        await troupe.plugins(...args).catch(() => undefined);
        await troupe.plugins(...args, "--json").catch(() => undefined);
      }
      expect([troupe.digest(), folder.digest()]).toEqual(before);
    };
    await untouched(["list"], ["verify"], ["inspect", manifest], ["validate", manifest], ["inspect", "none"]);
    await untouched(["add", manifest, "--dry-run"], ["add", manifest, "--project", "--dry-run"]);
    await troupe.plugins("add", manifest);
    await untouched(["list"], ["verify"], ["inspect", "still"], ["validate", "still"]);
    const changes = [
      ["enable", "still", "--trust"],
      ["pin", "still"],
      ["disable", "still"],
      ["remove", "still"],
      ["add", other],
      ["new", "made", "--lang", "typescript"],
    ];
    for (const change of changes) {
      await untouched([...change, "--dry-run"]);
      const before = troupe.digest();
      await troupe.plugins(...change);
      expect(troupe.digest(), change.join(" ")).not.toBe(before);
    }
    expect(spawn).not.toHaveBeenCalled();
  });

  test("a dry run says what it would say, and that it was one", async () => {
    using folder = new PluginFolder();
    using troupe = new Troupe();
    const manifest = folder.worker("dry", guardrail);
    expect((await troupe.plugins("add", manifest, "--dry-run")).out).toMatch(
      /^Nothing was changed\. Without --dry-run it would say:\n {2}Added dry /,
    );
    expect(await troupe.json("add", manifest, "--dry-run")).toMatchObject({ dryRun: true });
    expect(await troupe.refused("enable", "dry", "--dry-run")).toBe("plugin.not_added");
  });
});

describe("what can't be added is refused before it is on a list", () => {
  test("in one line, which says what to type: a name that is on no list, a folder without a manifest, no language, what isn't TOML", async () => {
    using folder = new PluginFolder();
    using troupe = new Troupe();
    const said = async (...words: string[]): Promise<string> => {
      const line = await troupe.plugins(...words).then(
        ({ out }) => out,
        (error: unknown) => failureOf(error, words).err,
      );
      expect(line.trimEnd()).not.toContain("\n");
      return line;
    };
    expect(await said("enable", "none")).toContain("troupe plugins add <folder>");
    expect(await said("add", folder.path)).toContain("isn't there: a plugin is a folder with a manifest");
    expect(await said("new", "it")).toContain("python|typescript|module|isolate");
    const broken = folder.write("broken/troupe-plugin.toml", "manifest_version = 1\nplugin = [\n");
    expect(await said("validate", broken)).toMatch(
      /isn't TOML: .* \(line \d\) \[plugin\.manifest_malformed\]/,
    );
  });

  test("a manifest that isn't right, a file that isn't there, an id that is taken", async () => {
    using folder = new PluginFolder();
    using troupe = new Troupe();
    expect(await troupe.refused("add", join(folder.path, "none"))).toBe("plugin.manifest_unreadable");
    const load = 'runtime = "node"\nentrypoint = "main.ts"';
    expect(await troupe.refused("add", folder.manifest("missing", { kind: "worker", load }))).toBe(
      "plugin.file_missing",
    );
    const changed = folder.worker("changed", guardrail);
    writeFileSync(changed, `${readFileSync(changed, "utf8")}\nsha256 = "${sha256(Buffer.from("other"))}"`);
    expect(await troupe.refused("add", changed)).toBe("plugin.integrity_mismatch");
    expect(await troupe.plugins("inspect", join(folder.path, "none"))).toMatchObject({
      failed: true,
      out: expect.stringContaining("[plugin.manifest_unreadable]"),
    });
    const { failed, out } = await troupe.plugins("validate", changed);
    expect([failed, out]).toEqual([true, expect.stringContaining("[plugin.integrity_mismatch]")]);
    const one = folder.worker("one", guardrail);
    await troupe.plugins("add", one);
    expect(await troupe.refused("add", one)).toBe("plugin.already_added");
    expect(await troupe.refused("enable", "onne")).toBe("plugin.not_added");
    expect(await troupe.json("list")).toMatchObject({ plugins: [{ id: "one" }] });
  });

  test("where signatures are required, what isn't signed", async () => {
    using folder = new PluginFolder();
    using troupe = new Troupe();
    const manifest = folder.worker("unsigned", guardrail);
    await troupe.plugins("add", manifest);
    writeFileSync(
      join(troupe.config, "troupe/plugin-policy.json"),
      JSON.stringify({ signatures: "signature_required", trustedKeys: [] }),
    );
    expect(await troupe.refused("enable", "unsigned")).toBe("plugin.signature_missing");
    expect(await troupe.refused("add", folder.worker("another", guardrail))).toBe("plugin.signature_missing");
    const verified = await troupe.plugins("verify");
    expect(verified.failed).toBe(true);
    expect(verified.out).toMatch(/^Plugin unsigned: the policy wants a signature/);
    const valid = await troupe.plugins("validate", manifest);
    expect(valid).toMatchObject({
      failed: false,
      out: expect.stringMatching(
        /^unsigned \S+ is valid: .*\nIt isn't taken here: .*\[plugin\.signature_missing\]\nIt gets .*\n$/,
      ),
    });
  });
});
