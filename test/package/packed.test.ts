/** The packages as people get them: packed, installed into an empty project elsewhere, and used from there. */
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { publint } from "publint";
import { afterAll, beforeAll, expect, test } from "vitest";
import { command } from "../../tools/command.ts";
import { Repository } from "../../tools/repository.ts";
import { InstalledProject, PACK } from "./installed-project.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const packages = new Repository(root).packages();
let project: InstalledProject;

beforeAll(async () => {
  project = await InstalledProject.create();
}, 240_000);
// Many files go, which may take a while on a busy machine.
afterAll(() => project?.[Symbol.dispose](), 60_000);

const counter = `
import { actor, setup } from "troupe";
import { createClient } from "troupe/client";

const counter = actor({
  state: { count: 0 },
  actions: { increment: (c, by/*: number*/) => (c.state.count += by) },
});
const registry = setup({ use: { counter } });
const server = await registry.start({ port: 0, dataDir: process.argv[2] });
const client = createClient/*<typeof registry>*/(server.endpoint);
const handle = client.counter.getOrCreate(["a"]);
const answers/*: number[]*/ = [await handle.increment(2), await handle.increment(3)];
await registry.stop();
console.log(JSON.stringify(answers));
`;

test("README says how packages come into a project: as they came into this one, and the program is found there", async () => {
  const readme = readFileSync(join(root, "README.md"), "utf8");
  expect(readme).toContain(`npm ${PACK.join(" ")} ../app/troupe`);
  expect(readme).toContain("cd ../app && npm install ./troupe/*.tgz");
  const manifest = JSON.parse(readFileSync(join(project.folder, "package.json"), "utf8"));
  expect(manifest.dependencies.troupe).toMatch(/^file:troupe\/troupe-[\d.]+\.tgz$/);
  expect(existsSync(join(project.folder, "node_modules", ".bin", "troupe"))).toBe(true);
});

test("a counter runs, keeps its state between calls, stops, and finds its state again", async () => {
  project.write("counter.mjs", counter);
  const data = join(project.folder, "data");
  expect(await project.run("counter.mjs", data)).toMatchObject({
    status: 0,
    output: expect.stringMatching(/^\[2,5\]$/m),
  });
  expect(await project.run("counter.mjs", data)).toMatchObject({
    status: 0,
    output: expect.stringMatching(/^\[7,10\]$/m),
  });
}, 60_000);

test.each(["typescript", "c", "rust", "python"])(
  "the program makes a plugin in %s, with what its SDK is made of",
  async (language) => {
    const bin = join("node_modules", "troupe", "dist", "bin.js");
    const made = await project.run(bin, "plugins", "new", `in-${language}`, "--lang", language, "--json");
    expect(made).toMatchObject({ status: 0 });
    const folder = join(project.folder, `in-${language}`);
    expect(existsSync(join(folder, "troupe-plugin.toml"))).toBe(true);
    expect(existsSync(join(folder, "sdk"))).toBe(language !== "typescript");
  },
);

test("the executable and the SDK of workers are there: a gateway's dry run, and a worker that nobody started", async () => {
  const bin = join("node_modules", "troupe", "dist", "bin.js");
  expect(await project.run(bin, "gateway", "--dry-run")).toMatchObject({
    status: 0,
    output: expect.stringContaining("Would listen at 127.0.0.1:4040"),
  });
  project.write(
    "worker.mjs",
    `import { serveWorker } from "troupe/plugins/worker"; await serveWorker({ name: "w" });`,
  );
  const worker = await project.run("worker.mjs");
  expect(worker.status).not.toBe(0);
  expect(worker.output).toContain("a host starts it by its manifest");
}, 60_000);

const greeter = `
import { setup } from "troupe";
import { createClient } from "troupe/client";
import { dynamicActor } from "troupe/dynamic";

const source = 'import { actor } from "troupe"; export default actor({ actions: { greet: (c, name) => "Hello, " + name } });';
const registry = setup({ use: { greeter: dynamicActor({ source }) } });
const { endpoint } = await registry.start({ port: 0, dataDir: process.argv[2] });
const client = createClient(endpoint);
const missing = ({ group, code, metadata }) => JSON.stringify([group, code, metadata.install]);
console.log(await client.greeter.getOrCreate(["a"]).greet("you").catch(missing));
await client.dispose();
await registry.stop();
`;

test("a dynamic actor runs from the published files; where isolated-vm isn't installed it says what to do", async () => {
  project.write("greeter.mjs", greeter);
  expect(await project.run("greeter.mjs", join(project.folder, "dynamic"))).toMatchObject({
    status: 0,
    output: expect.stringMatching(/^Hello, you$/m),
  });
  rmSync(join(project.folder, "node_modules", "isolated-vm"), { recursive: true });
  expect(await project.run("greeter.mjs", join(project.folder, "dynamic"))).toMatchObject({
    status: 0,
    output: expect.stringMatching(/^\["package","missing","npm install isolated-vm@[\d.]+"\]$/m),
  });
}, 60_000);

test("its types hold in a project elsewhere, declarations and all", async () => {
  const program = counter.replaceAll("/*", "").replaceAll("*/", "");
  project.write(
    "counter.ts",
    `declare const process: { argv: [string, string, string] };\n${withConsole(program)}`,
  );
  const lib = ["es2024", "esnext.disposable", "dom"];
  const compilerOptions = {
    strict: true,
    noEmit: true,
    target: "es2024",
    module: "nodenext",
    types: [],
    lib,
  };
  project.write("tsconfig.json", JSON.stringify({ compilerOptions, files: ["counter.ts"] }));
  expect(await project.compile()).toMatchObject({ status: 0, output: "" });
}, 60_000);

test.each(packages.map(({ manifest }) => manifest.name))("publint has nothing against %s", async (name) => {
  const { messages } = await publint({ pkgDir: join(project.folder, "node_modules", name), pack: false });
  expect(messages.filter((message) => message.type !== "suggestion")).toEqual([]);
});

test.each(packages.map(({ manifest }) => manifest.name))("%s says what it is for", (name) => {
  const readme = readFileSync(join(project.folder, "node_modules", name, "README.md"), "utf8");
  expect(readme.length).toBeGreaterThan(100);
});

const sandbox = `
import { setup } from "troupe";
import { agentOS } from "troupe/agent-os";
import { createClient } from "troupe/client";

const registry = setup({ use: { workspace: agentOS() } });
const server = await registry.start({ port: 0, dataDir: "none", durability: "memory", banner: false });
const handle = createClient(server.endpoint).workspace.getOrCreate(["a"]);
const answer = await handle.exec("echo hello").catch(({ group, code, metadata }) => [group, code, metadata.install]);
await registry.stop();
console.log(JSON.stringify(answer));
`;

test("a sandbox runs built and from source; where just-bash isn't installed it says what to do", async () => {
  project.write("sandbox.mjs", sandbox);
  expect(await project.run("sandbox.mjs")).toMatchObject({
    status: 0,
    output: expect.stringMatching(/^\["package","missing","npm install just-bash@[\d.]+"\]$/m),
  });
  const script = ["--input-type=module", "--eval", sandbox];
  for (const conditions of [[], ["--conditions=troupe-source"]]) {
    const ran = await command(process.execPath, [...conditions, ...script], { cwd: root });
    expect(ran).toMatchObject({ status: 0, output: expect.stringContaining('"stdout":"hello\\n"') });
  }
}, 60_000);

const published = packages.find(({ manifest }) => manifest.name === "troupe")?.manifest.exports ?? {};
const entries = Object.keys(published).map((subpath) => `troupe${subpath.slice(1)}`);
const moved = new Set(
  entries.filter((_entry, index) => JSON.stringify(Object.values(published)[index]).includes("/moved/")),
);

test("each entry of troupe resolves in the project and in this repository, built and from source", async () => {
  // One process for all of them; an entry that doesn't load ends it, but for those that say what to use instead.
  const names = `for (const entry of ${JSON.stringify(entries)})
    console.log(entry, await import(entry).then((names) => Object.keys(names).sort().join(), (error) => {
      if (error.code !== "moved") throw error;
      return "package.moved: " + error.message;
    }));`;
  project.write("names.mjs", names);
  const installed = await project.run("names.mjs");
  const script = ["--input-type=module", "--eval", names];
  const built = await command(process.execPath, script, { cwd: root });
  const source = await command(process.execPath, ["--conditions=troupe-source", ...script], { cwd: root });
  expect(installed).toMatchObject({ status: 0 });
  for (const entry of entries)
    expect(installed.output).toContain(`${entry} ${moved.has(entry) ? "package.moved: " : ""}`);
  expect(installed.output.match(/package\.moved: /g)).toHaveLength(moved.size);
  expect(built).toEqual(installed);
  expect(source).toEqual(installed);
}, 60_000);

function withConsole(program: string): string {
  return `declare const console: { log(line: string): void };\n${program}`;
}
