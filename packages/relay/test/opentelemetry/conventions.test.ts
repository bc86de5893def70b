/** The names of attributes are those of the conventions' own package, in the version that we say. */
import { readFileSync } from "node:fs";
import { GEN_AI_CONVENTIONS } from "@troupe/relay/opentelemetry";
import { expect, test } from "vitest";

const folder = new URL("../../../../node_modules/@opentelemetry/semantic-conventions/", import.meta.url);
const page = readFileSync(new URL("../../../../docs/exporters.md", import.meta.url), "utf8");

test("every GenAI attribute that is told is one of the conventions", () => {
  const source = readFileSync(
    new URL("../../src/exporters/opentelemetry/gen-ai.ts", import.meta.url),
    "utf8",
  );
  const told = [...source.matchAll(/"((?:gen_ai|error)\.[a-z_.]+)"/g)].map(([, name = ""]) => name);
  const known = ["experimental_attributes.mjs", "stable_attributes.mjs"]
    .map((file) => readFileSync(new URL(`dist/${file}`, folder), "utf8"))
    .join();
  expect(told.length).toBeGreaterThan(20);
  expect(told.filter((name) => !known.includes(`"${name}"`))).toEqual([]);
});

test("the version that is stated is the one that was looked at", () => {
  const { version } = JSON.parse(readFileSync(new URL("package.json", folder), "utf8"));
  expect(GEN_AI_CONVENTIONS).toBe(version);
  expect(page).toContain(`semantic conventions ${version}`);
  const manifest = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
  const packages: Readonly<Record<string, string>> = manifest.optionalDependencies;
  expect(page).toContain(`The exporters are version ${packages["@opentelemetry/exporter-trace-otlp-proto"]}`);
  expect(page).toContain(`the API ${packages["@opentelemetry/api"]}`);
});
