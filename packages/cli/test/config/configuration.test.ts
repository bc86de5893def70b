/** The configuration: who overrules whom, what is refused with its line, and what is told of where a value was said. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { TroupeError } from "@troupe/base";
import { Ajv2020 } from "ajv/dist/2020.js";
import { parse } from "smol-toml";
import { expect, test } from "vitest";
import { Gateway } from "../../src/gateway/gateway.ts";
import { type GatewayFlags, readOptions } from "../../src/gateway/options.ts";
import { PluginFolder } from "../support/plugin-folder.ts";
import { ScriptedProvider } from "../support/provider.ts";
import { Troupe } from "../support/troupe.ts";

const whole = `
[gateway]
bind = "127.0.0.1:5050"
plugins = ["guard/troupe-plugin.toml", "/abs/troupe-plugin.toml"]
installed = false
atof = "trace.jsonl"

[upstreams.anthropic]
url = "https://api.anthropic.com"
key_env = "MY_KEY"

[upstreams.any]
url = "http://127.0.0.1:9"
key_file = "secret"

[run]
summary = false

[components]
version = 1
policy = { unknown_field = "warn" }
[[components.components]]
kind = "pii_redaction"
[components.components.config]
profiles = [{ action = "redact", detector = "email" }]
`;

/** Texts, what refuses them, and the line that is named. */
const refused: readonly (readonly [text: string, code: string, told: RegExp])[] = [
  [
    '[gateway]\nbnid = "127.0.0.1:1"',
    "unknown_key",
    /troupe\.toml:2: there is no key gateway\.bnid; did you mean bind\?/,
  ],
  ["[gatway]\n", "unknown_key", /troupe\.toml:1: there is no key gatway/],
  [
    "# a comment\n[run]\nsummary = 1",
    "invalid_option",
    /troupe\.toml:3: run\.summary 1: must be true or false/,
  ],
  ["[gateway]\nplugins = [1]", "invalid_option", /troupe\.toml:2: gateway\.plugins/],
  ['gateway.bind = "0.0.0.0:80"', "unsafe_bind", /troupe\.toml:1: gateway\.bind 0\.0\.0\.0:80 would/],
  [
    '[upstreams]\nopenai = "https://x"',
    "invalid_option",
    /troupe\.toml:2: upstreams\.openai "https:\/\/x": must be a table, as \{ url = "https:\/\/…" \}/,
  ],
  ['[upstreams]\nopenai = { url = "x" }', "invalid_option", /troupe\.toml:2: upstreams\.openai\.url/],
  ["[upstreams.nobody]\n", "unknown_key", /troupe\.toml:1: there is no key upstreams\.nobody/],
  ['[upstreams.openai]\nkey_env = "K"', "missing_key", /troupe\.toml:1: upstreams\.openai\.url/],
  [
    '[upstreams.openai]\nurl = "https://x"\napi_key = "sk-1"',
    "key_in_file",
    /troupe\.toml:3: upstreams\.openai\.api_key/,
  ],
  ['[upstreams.openai]\nurl = "https://me:pw@x"', "key_in_file", /troupe\.toml:2/],
  ['[upstreams.openai]\nurl = "https://x"\nkey_env = "A"\nkey_file = "b"', "two_keys", /troupe\.toml:3/],
  [
    '[upstreams.openai]\nurl = "https://x"\nkey_evn = "A"',
    "unknown_key",
    /troupe\.toml:3.*did you mean key_env/,
  ],
];

function told(text: string): TroupeError {
  using folder = new PluginFolder();
  try {
    readOptions({ config: folder.write("troupe.toml", text) }, { cwd: folder.path });
  } catch (error) {
    if (TroupeError.is(error)) return error;
    throw error;
  }
  throw new Error("it was taken");
}

test.each(refused)("%j is refused: %s", (text, code, message) => {
  const error = told(text);
  expect(error).toMatchObject({ group: "config", code });
  expect(error.message).toMatch(message);
  expect(error.message).not.toMatch(/sk-1|me:pw/);
});

test("what isn't TOML is refused with line and column, and a file that was named must be there", () => {
  const error = told("[gateway]\nbind = \n");
  expect(error).toMatchObject({ code: "malformed" });
  expect(error.message).toMatch(/troupe\.toml:2:8: this isn.t TOML/);
  expect(() => readOptions({ config: "none.toml" }, { cwd: "/" })).toThrow("/none.toml isn't there");
});

test("the published schema takes what is taken, and refuses what is refused", () => {
  const file = new URL("../../src/config/troupe.schema.json", import.meta.url);
  const valid = new Ajv2020({ strict: false }).compile(JSON.parse(readFileSync(file, "utf8")));
  for (const text of ["", whole]) expect(valid(parse(text)), text).toBe(true);
  for (const [text] of refused) expect(valid(parse(text)), text).toBe(false);
});

test("a flag overrules a variable, that the project's file, that the user's, that the default; each says where it was said", async () => {
  using folder = new PluginFolder();
  using troupe = new Troupe();
  const project = folder.write("troupe.toml", whole);
  troupe.write(
    "config/troupe/troupe.toml",
    '[gateway]\nbind = "127.0.0.1:1"\n[upstreams.gemini]\nurl = "http://user"',
  );
  const users = join(troupe.config, "troupe/troupe.toml");
  const sources = async (...flags: readonly string[]) =>
    JSON.parse((await troupe.run("config", "--sources", "--json", ...flags)).out);

  expect(await sources()).toMatchObject({
    "gateway.bind": { value: "127.0.0.1:1", source: `${users}:2` },
    "gateway.plugins": { value: [], source: "default" },
    "upstreams.gemini": { value: { url: "http://user/" }, source: `${users}:4` },
  });
  expect((await troupe.run("config")).out).toContain('\nupstreams.gemini = { url = "http://user/" }\n');
  const both = await sources("--config", project);
  expect(both).toMatchObject({
    "gateway.bind": { value: "127.0.0.1:5050", source: `${project}:3` },
    "gateway.plugins": { value: [join(folder.path, "guard/troupe-plugin.toml"), "/abs/troupe-plugin.toml"] },
    "run.summary": { value: false, source: `${project}:17` },
    "upstreams.anthropic": { value: { url: "https://api.anthropic.com/", key_env: "MY_KEY" } },
    components: { source: `${project}:19` },
  });
  // An address for all, said above, is for what was said below too.
  expect(Object.keys(both)).not.toContain("upstreams.gemini");

  troupe.env = {
    TROUPE_CONFIG: project,
    TROUPE_BIND: "[::1]:2",
    TROUPE_UPSTREAM: "openai=http://env http://all",
  };
  expect(await sources()).toMatchObject({
    "gateway.bind": { value: "[::1]:2", source: "TROUPE_BIND" },
    "upstreams.openai": { value: { url: "http://env/" }, source: "TROUPE_UPSTREAM" },
  });
  const flags = ["--bind", "127.0.0.1:3", "--upstream", "openai=http://flag", "--plugin", "p.toml"];
  expect(await sources(...flags)).toMatchObject({
    "gateway.bind": { value: "127.0.0.1:3", source: "--bind" },
    "gateway.plugins": { value: [join(troupe.project, "p.toml")], source: "--plugin" },
    "gateway.atof": { source: `${project}:6` },
    "upstreams.openai": { value: { url: "http://flag/" }, source: "--upstream" },
  });
  const plain = await troupe.run("config");
  expect(plain.out).toContain('gateway.bind = "[::1]:2"\n');
});

test("what it prints is a file that says the same", async () => {
  using folder = new PluginFolder();
  using troupe = new Troupe();
  const odd = `[gateway]
plugins = ["a \\u007f\\"b\\".toml"]
[upstreams.openai]
url = "http://127.0.0.1:1"
key_file = "k"
[run]
summary = false
[components]
[[components.components]]
kind = "x"
config = { "a key" = 1, "" = [{ at = 2026-11-22T04:00:00Z, day = 2026-11-22, most = inf, share = 0.5, none = [] }] }
`;
  for (const text of ["", whole, odd])
    for (const flags of [[], ["--sources"]]) {
      const config = ["--config", folder.write("one/troupe.toml", text)];
      const { out } = await troupe.run("config", ...flags, ...config);
      const again = ["--config", folder.write("other/troupe.toml", out)];
      expect((await troupe.run("config", ...again)).out).toBe((await troupe.run("config", ...config)).out);
      expect((await troupe.run("config", "--json", ...again)).out).toBe(
        (await troupe.run("config", "--json", ...config)).out,
      );
    }
});

test("a provider's key comes from where the file says, in the place of the agent's own, and goes there alone", async () => {
  using folder = new PluginFolder();
  await using one = await ScriptedProvider.start((_request, response) => void response.end("{}"));
  await using other = await ScriptedProvider.start((_request, response) => void response.end("{}"));
  folder.write("secret", "sk-file\n");
  const atof = join(folder.path, "trace.jsonl");
  const config = folder.write(
    "troupe.toml",
    `[gateway]\nbind = "127.0.0.1:0"\natof = "trace.jsonl"
     [upstreams.anthropic]\nurl = "${one.url}"\nkey_file = "secret"
     [upstreams.openai]\nurl = "${one.url}"\nkey_env = "MY_KEY"`,
  );
  const start = (flags: GatewayFlags, env = {}) =>
    Gateway.start(readOptions({ config, ...flags }, { cwd: "/" }), { env });
  await expect(start({})).rejects.toMatchObject({ code: "key_missing" });
  const headers = { "x-api-key": "sk-agent", authorization: "Bearer sk-agent" };
  const ask = async (gateway: Gateway) => {
    for (const path of ["/v1/messages", "/v1/chat/completions", "/v1/models"])
      await fetch(gateway.url + path, {
        headers,
        ...(path === "/v1/models" ? {} : { method: "POST", body: "{}" }),
      });
    await gateway[Symbol.asyncDispose]();
  };
  await ask(await start({}, { MY_KEY: "sk-env" }));
  const keys = (provider: ScriptedProvider) =>
    provider.received.map(({ headers: raw }) => raw.filter((text) => text.includes("sk-")));
  expect(keys(one)).toEqual([["sk-file"], ["Bearer sk-env"], ["Bearer sk-env"]]);
  expect(readFileSync(atof, "utf8")).not.toContain("sk-");
  // Another address by a flag: the file's keys aren't for that.
  await ask(await start({ upstream: [other.url] }));
  expect(keys(other)).toEqual([
    ["sk-agent", "Bearer sk-agent"],
    ["sk-agent", "Bearer sk-agent"],
    ["sk-agent", "Bearer sk-agent"],
  ]);
});

test("components of the file are in force from the first request on, and a reload changes them", async () => {
  using folder = new PluginFolder();
  await using provider = await ScriptedProvider.start((_request, response) => void response.end("{}"));
  const write = (detector: string) =>
    folder.write(
      "troupe.toml",
      `[gateway]\nbind = "127.0.0.1:0"\natof = "trace.jsonl"\n[upstreams.any]\nurl = "${provider.url}"
       [[components.components]]\nkind = "pii_redaction"
       config = { profiles = [{ action = "redact", detector = "${detector}" }] }`,
    );
  const options = () => readOptions({ config: write("email") }, { cwd: "/" });
  const gateway = await Gateway.start(options());
  const ask = () =>
    fetch(`${gateway.url}/v1/messages`, { method: "POST", body: '{"by":"ann@example.com","at":"10.1.2.3"}' });
  await ask();
  await expect(gateway.reload(readOptions({ config: write("nothing") }, { cwd: "/" }))).rejects.toThrow();
  await ask();
  await gateway.reload(readOptions({ config: write("ip_address") }, { cwd: "/" }));
  await ask();
  await gateway[Symbol.asyncDispose]();
  const starts = readFileSync(join(folder.path, "trace.jsonl"), "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line))
    .filter(({ scope_category }) => scope_category === "start");
  expect(starts.map(({ data }) => data.content)).toEqual([
    { by: "[REDACTED]", at: "10.1.2.3" },
    { by: "[REDACTED]", at: "10.1.2.3" },
    { by: "ann@example.com", at: "[REDACTED]" },
  ]);
  folder.write("troupe.toml", '[[components.components]]\nkind = "pii_redaction"\nconfig = { profils = [] }');
  await expect(
    Gateway.start(readOptions({ config: join(folder.path, "troupe.toml") }, { cwd: "/" })),
  ).rejects.toMatchObject({
    code: "config_invalid",
  });
});

test("an upstream of a name that isn't one is told the names that are", () => {
  const read = () => readOptions({ upstream: ["any=http://127.0.0.1:1"] }, { cwd: "/" });
  expect(read).toThrow("--upstream any=…: must be one of openai=, anthropic= and gemini=");
});
