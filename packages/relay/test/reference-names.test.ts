/** Every name of nemo-relay-node 0.9.2 is here, or has a row in docs/moving-from-nemo-relay.md. */
import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import * as adaptive from "../src/adaptive.ts";
import * as relayIndex from "../src/index.ts";
import * as modelPricing from "../src/model-pricing.ts";
import * as relayNode from "../src/node.ts";
import * as observability from "../src/observability.ts";
import * as openTelemetry from "../src/opentelemetry.ts";
import * as piiRedaction from "../src/pii-redaction.ts";
import * as plugin from "../src/plugin.ts";
import * as typed from "../src/typed.ts";

const reference = new URL("../../../node_modules/nemo-relay-node/", import.meta.url);
const guide = readFileSync(new URL("../../../docs/moving-from-nemo-relay.md", import.meta.url), "utf8");

/** What a program can import of one of its modules and use at run time. */
function namesOf(file: string): string[] {
  const text = readFileSync(new URL(file, reference), "utf8");
  const declared = /^export (?:declare )?(?:const enum|enum|const|function|class) (\w+)/gm;
  return [...new Set([...text.matchAll(declared)].map(([, name = ""]) => name))].sort();
}

function isTold(name: string): boolean {
  return guide.includes(`\`${name}\``) || guide.includes(`\`${name}(`);
}

const ours: Readonly<Record<string, object>> = {
  "adaptive.d.ts": adaptive,
  "index.d.ts": { ...relayIndex, ...relayNode, ...openTelemetry },
  "model_pricing.d.ts": modelPricing,
  "observability.d.ts": observability,
  "pii_redaction.d.ts": piiRedaction,
  "plugin.d.ts": plugin,
  "typed.d.ts": typed,
};

test("every module of the reference is looked at, and has the names that it is known for", () => {
  expect(
    readdirSync(reference)
      .filter((file) => file.endsWith(".d.ts"))
      .sort(),
  ).toEqual(Object.keys(ours).sort());
  expect(namesOf("index.d.ts")).toEqual(
    expect.arrayContaining(["toolCallExecute", "ScopeType", "AtofExporter"]),
  );
});

test.each(Object.keys(ours))("every name of %s is ours as well, or is told of", (file) => {
  const relay = relayNode.createRelay();
  const here = { ...ours[file] };
  const missing = namesOf(file)
    // Its own tests' names.
    .filter((name) => !name.startsWith("__test"))
    // Those of scopes have one row for all.
    .filter((name) => !/^scope(Der|R)egister/.test(name))
    .filter((name) => !(name in here || name in relay || isTold(name)));
  expect(missing).toEqual([]);
});
