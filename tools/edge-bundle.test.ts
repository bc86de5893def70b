/** What fails the build of an edge host. */
import { expect, test } from "vitest";
import { edgeBundle, edgeBundles } from "./edge-bundle.ts";

test("the bundles of the build have one way to an engine, nothing of Node's, and are small; their sizes are printed", async () => {
  for (const [name, { source, mostBytes }] of Object.entries(edgeBundles)) {
    const { gzipBytes, problems } = await edgeBundle(source, mostBytes);
    process.stdout.write(`the edge bundle of ${name}: ${(gzipBytes / 1_000).toFixed(1)} kB gzip\n`);
    expect(problems).toEqual([]);
  }
});

test("a bundle without a way to an engine, or with both, fails", async () => {
  const none = await edgeBundle({ text: 'export { actor } from "@troupe/runtime/edge";' });
  expect(none.problems).toEqual(["it has no way to an engine: it calls neither startHost nor serveHost"]);
  const both = await edgeBundle({
    text: `
      export { startHost } from "@troupe/runtime/edge";
      export { dialEngine } from "./packages/runtime/src/node/host-socket.ts";
    `,
  });
  expect(both.problems).toContainEqual(expect.stringContaining("more than one way to an engine"));
  expect(both.problems).toContainEqual(expect.stringContaining("node:"));
});

test("a bundle over the limit fails, and says by how much", async () => {
  const { problems } = await edgeBundle({ text: 'export * from "@troupe/runtime/edge";' }, 1_000);
  expect(problems).toEqual([expect.stringMatching(/^it has \d+ bytes \(gzip\); 1000 is the limit$/)]);
});
