/** What a source gets when its program grants it, and hasn't else: variables, and packages. */
import { symlinkSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, test } from "vitest";
import { type DynamicGrants, dynamicActor } from "../../src/index.ts";
import { DynamicWorld, failure, moduleOf } from "../support/dynamic-world.ts";
import { needsPackage } from "../support/native-package.ts";
import { PluginFolder } from "../support/plugin-folder.ts";

needsPackage("isolated-vm");

/** A folder with packages: `words`, in several files, and what it may not reach. */
function packages() {
  const folder = new PluginFolder();
  folder.write("words/package.json", "{}");
  folder.write(
    "words/src/index.js",
    `import { louder } from "./deep/louder.js"; import { bang } from "../bang.mjs";
    export { louder, bang }; export const seen = () => [typeof process, typeof require];`,
  );
  folder.write(
    "words/src/deep/louder.js",
    `import { bang } from "../../bang.mjs"; export const louder = (word) => word + bang;`,
  );
  folder.write("words/bang.mjs", `export const bang = "!";`);
  folder.write("words/leaves.js", `export { secret } from "../secret.js";`);
  folder.write("words/linked.js", `export { secret } from "./link.js";`);
  folder.write("words/others.js", `import "node:fs"; export const secret = 1;`);
  folder.write("words/broken.js", `export const a = ;`);
  folder.write("words/folder.js/index.js", "");
  folder.write("words/throws.js", `throw new Error("not here");`);
  folder.write("secret.js", `export const secret = 7;`);
  symlinkSync(join(folder.path, "secret.js"), join(folder.path, "words/link.js"));
  return { folder, url: (path: string) => pathToFileURL(join(folder.path, path)) };
}

const user = (imports: string, acts: string) => `${imports}\n${moduleOf(`actions: { act: () => ${acts} }`)}`;

async function act(source: string, grants: DynamicGrants): Promise<unknown> {
  await using world = await DynamicWorld.one({ source, ...grants });
  return await world.act("it", "act");
}

test("variables are those that were granted, and without a grant there is no process", async () => {
  const source = user("", `typeof process === "undefined" ? "none" : [process.env, Object.keys(process)]`);
  expect(await act(source, { env: { GREETING: "hello", EMPTY: "" } })).toEqual([
    { GREETING: "hello", EMPTY: "" },
    ["env"],
  ]);
  expect(await act(source, {})).toBe("none");
});

test("a granted package is imported with what is its own, has no more than the source, and is one for each isolate", async () => {
  const { folder, url } = packages();
  using _folder = folder;
  const source = user(
    `import { louder, bang, seen } from "words"; import * as again from "words";`,
    `[louder("hey"), bang, seen(), again.louder === louder]`,
  );
  const granted = { packages: { words: url("words/src/index.js").href } };
  expect(await act(source, granted)).toEqual(["hey!", "!", ["undefined", "undefined"], true]);
  expect(await failure(act(source, {}))).toMatchObject({
    is: "dynamic.import_refused",
    message: expect.stringContaining(
      `It imports "words", which isn't there. There are "troupe", "troupe/db", "troupe/workflow"; no packages were granted`,
    ),
  });
});

test("what a package reaches for outside of itself is refused, and what is wrong with one is told", async () => {
  const { folder, url } = packages();
  using _folder = folder;
  const names = ["leaves", "linked", "others", "missing", "folder", "broken", "throws"];
  const source = user(`import * as words from "words";`, "words.secret");
  const definition = (file: string) => dynamicActor({ source, packages: { words: url(`words/${file}`) } });
  await using world = await DynamicWorld.start(
    Object.fromEntries(names.map((name) => [name, definition(`${name}.js`)])),
  );
  const refused = (name: string) => failure(world.act(name, "act"));
  expect(await refused("leaves")).toMatchObject({
    is: "dynamic.import_refused",
    message: expect.stringContaining("../secret.js"),
  });
  expect(await refused("linked")).toMatchObject({ is: "dynamic.import_refused" });
  expect(await refused("others")).toMatchObject({
    is: "dynamic.import_refused",
    message: expect.stringContaining("node:fs"),
  });
  for (const name of ["missing", "folder"]) {
    const failed = await refused(name);
    expect(failed).toMatchObject({
      is: "dynamic.load_failed",
      message: expect.stringContaining(`The granted package "words" can't be read`),
    });
    expect(JSON.stringify(failed)).not.toContain(folder.path);
  }
  expect(await refused("broken")).toMatchObject({
    is: "dynamic.syntax_error",
    message: expect.stringContaining("words/broken.js"),
  });
  expect(await refused("throws")).toMatchObject({
    is: "dynamic.load_failed",
    message: expect.not.stringContaining("not here"),
  });
  // A source has no folder: no path is its own.
  const own = user(`import "./words/bang.mjs";`, "1");
  expect(await failure(act(own, { packages: { words: url("words/bang.mjs") } }))).toMatchObject({
    is: "dynamic.import_refused",
  });
});

test("a grant that can't be is refused when the definition is made; a loader grants nothing", async () => {
  const wrong: readonly unknown[] = [
    { env: { A: 1 } },
    { env: ["A"] },
    { packages: { words: "words" } },
    { packages: { words: "https://example.com/words.js" } },
    { packages: { troupe: import.meta.url } },
    { packages: { "./words": import.meta.url } },
    { packages: { "node:fs": import.meta.url } },
  ];
  for (const grants of wrong)
    expect(() => Reflect.apply(dynamicActor, undefined, [{ source: "", ...Object(grants) }])).toThrow(
      /dynamicActor can't be made/,
    );
  const load = () => ({ source: moduleOf("actions: {}"), env: { A: "b" } });
  await using world = await DynamicWorld.start({ it: dynamicActor({ load }) });
  expect(await failure(world.act("it", "act"))).toMatchObject({ is: "dynamic.bad_option" });
});
