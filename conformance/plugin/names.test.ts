/** docs/plugins/context.md: each name that stands there is one of its SDK's, and what a plugin may ask of the relay stands there whole. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const root = join(import.meta.dirname, "../..");

function read(...paths: readonly string[]): string {
  return paths.map((path) => readFileSync(join(root, path), "utf8")).join("\n");
}

function all(folder: string, ending: string): string {
  return read(
    ...readdirSync(join(root, folder))
      .filter((name) => name.endsWith(ending))
      .map((name) => `${folder}/${name}`),
  );
}

const page = read("docs/plugins/context.md");
const languages = ["TypeScript", "C", "Rust", "Python"] as const;
type Language = (typeof languages)[number];

/** The names in a language's column of a section. */
function namesOf(language: Language, section = page): readonly string[] {
  const column = 2 + languages.indexOf(language);
  return section
    .split("\n")
    .filter((line) => line.startsWith("| "))
    .flatMap((row) => [...(row.split("|")[column] ?? "").matchAll(/`([^`]+)`/g)])
    .map(([, name = ""]) => name);
}

const python = "sdks/python/troupe_plugin";
const actors = "packages/runtime/src/actor";

/** Where what stands in front of a name is declared. */
const typescript: Readonly<Record<string, string>> = {
  c: all(`${actors}/types`, ".ts"),
  conn: read(`${actors}/types/context.ts`),
  host: read("packages/plugins/src/worker/host-handle.ts"),
  context: read("packages/plugins/src/worker/worker-plugin.ts"),
};
const inPython: Readonly<Record<string, string>> = {
  c: read(`${python}/actor.py`),
  Actor: read(`${python}/actor.py`),
  connection: read(`${python}/connections.py`),
  socket: read(`${python}/sockets.py`),
  host: read(`${python}/host.py`),
  context: read(`${python}/plugin.py`),
};
const headers = all("sdks/c/include", ".h");
const crate = readdirSync(join(root, "sdks/rust/troupe-plugin/src"))
  .filter((name) => name.endsWith(".rs"))
  .map((name) => read(`sdks/rust/troupe-plugin/src/${name}`));
const definition = all(actors, ".ts");

/** The blocks of a type's own functions. */
function implOf(type: string): string {
  const begins = new RegExp(`^impl(<[^>]*>)? ${type}\\b[^{]*\\{\\n(.*?)^\\}`, "gms");
  return crate.flatMap((file) => [...file.matchAll(begins)].map(([, , block]) => block)).join("\n");
}

const has: Readonly<Record<Language, (name: string) => boolean>> = {
  TypeScript: (name) => {
    const [owner = "", member] = name.split(".");
    if (member === undefined) return new RegExp(`\\b${name}\\b`).test(definition);
    return new RegExp(`\\b${member}\\??[(<:]`).test(typescript[owner] ?? "");
  },
  C: (name) => new RegExp(`\\b${name}(\\(| = )`).test(headers),
  Rust: (name) => {
    const [type = "", member = ""] = name.split("::");
    return new RegExp(`pub (async )?fn ${member}\\b`).test(implOf(type));
  },
  Python: (name) => {
    const [owner = "", member = ""] = name.split(".");
    return new RegExp(`^ +(def ${member}\\(|(self\\.)?${member}\\b *[:=])`, "m").test(inPython[owner] ?? "");
  },
};

test.each(languages)("each name in the column of %s is there", (language) => {
  const names = namesOf(language);
  expect(names.length).toBeGreaterThan(30);
  expect(names.filter((name) => !has[language](name))).toEqual([]);
  // What isn't there is found not to be.
  expect(["c.nothing", "troupe_nothing", "Context::nothing"].filter((name) => has[language](name))).toEqual(
    [],
  );
});

test("what a plugin may ask of its host's relay stands there whole, in each language", () => {
  const [, relay = ""] = page.split("## The host's relay");
  const found = (source: string, name: RegExp): string[] =>
    [...source.matchAll(name)].map(([, one = ""]) => one).filter((one) => one !== "constructor");
  const [, handle = ""] = (typescript.host ?? "").split("export class HostHandle {");
  const [, host = ""] = (inPython.host ?? "").split("\nclass Host:");
  const asked = headers.split("/* Numbers of plugin/v1. */")[1]?.split("troupe_question;")[0] ?? "";
  const owned = (language: Language, owner: string): string[] =>
    namesOf(language, relay)
      .filter((name) => name.startsWith(owner))
      .map((name) => name.slice(owner.length));
  expect(owned("TypeScript", "host.")).toEqual(
    found(handle.split("\n}")[0] ?? "", /^ {2}(?:async )?([a-z]\w*)\(/gm),
  );
  expect(owned("C", "TROUPE_")).toEqual(found(asked, /\bTROUPE_(\w+) = /g));
  expect(owned("Rust", "Host::").sort()).toEqual(found(implOf("Host"), /pub fn (\w+)/g).sort());
  expect(owned("Python", "host.")).toEqual(found(host, /^ {4}def ([a-z]\w*)\(/gm));
});
