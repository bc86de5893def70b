/** A program in parts runs as it does whole, and no part of it before it is used. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { createContext, runInContext } from "node:vm";
import { expect, test } from "vitest";
import { bundleParts, type PartedScripts } from "./guest-parts.ts";

const linker = fileURLToPath(
  new URL("../packages/plugins/src/carriers/isolate/guest/parts.ts", import.meta.url),
);

const files = {
  "main.ts": `
    import { attachParts } from "LINKER";
    import { Shape } from "./shape.ts";
    import { Circle, ran, rename } from "./round/index.ts";
    import { corners } from "./square/square.ts";
    globalThis.program = {
      attachParts,
      circle: (r) => { const it = new Circle(r); return [it instanceof Shape, it instanceof Circle, it.area()]; },
      name: () => { rename("round"); return ran(); },
      corners: () => corners(),
    };`,
  "shape.ts": `export class Shape { area() { return this.measure(); } }
    globalThis.ran = ["core"];`,
  "round/index.ts": `export { Circle } from "./circle.ts"; export { ran, rename } from "./name.ts";`,
  "round/circle.ts": `import { Shape } from "../shape.ts";
    import { corners } from "../square/square.ts";
    globalThis.ran.push("round");
    export class Circle extends Shape {
      #r;
      constructor(r) { super(); this.#r = r; }
      measure() { return this.#r * this.#r * (corners() - 1); }
    }`,
  "round/name.ts": `let name = "none"; export const ran = () => name; export function rename(to: string) { name = to; }`,
  "square/square.ts": `globalThis.ran.push("square"); export const corners = () => 4;`,
};

/** In a folder that is gone again. */
async function bundled(parts: Readonly<Record<string, readonly string[]>>): Promise<PartedScripts> {
  const root = mkdtempSync(join(tmpdir(), "troupe-parts-"));
  try {
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(root, name)), { recursive: true });
      writeFileSync(join(root, name), text.replace("LINKER", linker));
    }
    const entry = join(root, "main.ts");
    return await bundleParts({ entry, root, linker, core: ["round/index.ts"], parts, options: {} });
  } finally {
    rmSync(root, { recursive: true });
  }
}

function started(scripts: Pick<PartedScripts, "core" | "parts">): (code: string) => unknown {
  const realm = createContext({});
  runInContext(scripts.core, realm);
  const evaluate = (code: string): unknown => runInContext(code, realm);
  evaluate(`program.attachParts(${JSON.stringify(Object.entries(scripts.parts).flat())})`);
  return (code) => JSON.parse(String(evaluate(`JSON.stringify(${code})`)));
}

test("each part runs when something of it is used first, and once", async () => {
  const ask = started(await bundled({ round: ["round/"], square: ["square/"] }));
  expect(ask("ran")).toEqual(["core"]);
  expect(ask("program.name()")).toBe("round");
  expect(ask("ran")).toEqual(["core", "round"]);
  expect(ask("program.circle(2)")).toEqual([true, true, 12]);
  expect(ask("program.corners()")).toBe(4);
  expect(ask("ran")).toEqual(["core", "round", "square"]);
});

test("a program without parts is the same program", async () => {
  const ask = started(await bundled({}));
  expect(ask("[program.circle(2), program.name(), program.corners()]")).toEqual([
    [true, true, 12],
    "round",
    4,
  ]);
});

test("a part that fails is run anew", async () => {
  const { core, parts } = await bundled({ round: ["round/"], square: ["square/"] });
  const failing = `if (!globalThis.enough) throw new RangeError("no room");`;
  // On a line of its own: a script ends with a comment.
  const square = `(require => { ${failing} return (${parts.square}
    )(require); })`;
  const ask = started({ core, parts: { ...parts, square } });
  expect(() => ask("program.corners()")).toThrow("no room");
  expect(ask("(globalThis.enough = true) && program.corners()")).toBe(4);
});
