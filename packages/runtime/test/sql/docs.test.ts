/** The snippets of docs/sql.md run as they stand there. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

const root = new URL("../../../../", import.meta.url);
const page = readFileSync(new URL("docs/sql.md", root), "utf8");
const snippets = [...page.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code]) => code ?? "");

/** What is done with what a snippet defines; the last line of the output. */
const uses: readonly { readonly name: string; readonly calls: string; readonly output: string }[] = [
  {
    name: "notes",
    calls: `await a.add("milk"); await a.add("more milk"); await a.move(2, 1); return await a.find("milk");`,
    output: '[{"id":1,"text":"more milk"}]',
  },
  {
    name: "team",
    calls: `await a.add("Ada"); await a.addTwo("Bob", "Eve"); return (await a.all()).map((user) => user.name);`,
    output: '["Ada","Bob","Eve"]',
  },
];

test.each(uses.map((use, index) => ({ ...use, index })))(
  "docs/sql.md: $name",
  ({ name, calls, output, index }) => {
    const program = `${snippets[index]}
    import { setup } from "troupe";
    import { setupTest } from "troupe/test";
    const ends = [];
    const scope = { onTestFinished: (end) => ends.push(end) };
    const { client } = await setupTest(scope, setup({ use: { ${name} } }));
    const use = async (a) => { ${calls} };
    console.log(JSON.stringify(await use(client.${name}.getOrCreate(["a"]))));
    for (const end of ends) await end();`;
    const args = ["--conditions=troupe-source", "--input-type=module-typescript"];
    const said = execFileSync(process.execPath, args, {
      cwd: root,
      input: program,
      encoding: "utf8",
      timeout: 20_000,
    });
    expect(said.trim().split("\n").at(-1)).toBe(output);
  },
);

test("there is a test for each snippet", () => {
  expect(snippets).toHaveLength(uses.length);
});
