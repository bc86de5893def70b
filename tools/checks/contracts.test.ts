import { expect, test } from "vitest";
import { findIn } from "../fixture.ts";
import { contractsCheck } from "./contracts.ts";

const members = (count: number) => Array.from({ length: count }, (_, n) => `m${n}(): void;`).join(" ");
const found = (path: string, text: string) => findIn(contractsCheck, { [path]: text });
const port = "packages/runtime/src/ports/x.ts";

test("a port has 15 members at most, an ActorInstance 10", async () => {
  for (const [name, most] of [
    ["Directory", 15],
    ["ActorInstance", 10],
  ] as const) {
    expect(await found(port, `export interface ${name} { ${members(most)} }`)).toEqual([]);
    const [problem = ""] = await found(
      port,
      `export interface ${name} { ${members(most)} readonly more?: 1; }`,
    );
    expect(problem).toContain(`${name} has ${most + 1} members; ${most} at most`);
  }
});

test("overloads are one member, and what isn't a port may be larger", async () => {
  const overloads = `${members(15)} m1(a: 1): void; m1(a: 2): void;`;
  expect(await found(port, `export interface A { ${overloads} }`)).toEqual([]);
  expect(await found("packages/runtime/src/actor/x.ts", `export interface A { ${members(40)} }`)).toEqual([]);
  expect(await found(port, `interface A { ${members(16)} }`)).toHaveLength(1);
});
