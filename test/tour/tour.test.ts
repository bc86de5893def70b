/** `npm run tour` does what the README says. */
import { join } from "node:path";
import { expect, test } from "vitest";
import { command } from "../../tools/command.ts";

const root = join(import.meta.dirname, "../..");

test("the tour shows all of its parts", async () => {
  const ran = await command(process.execPath, ["--conditions=troupe-source", "tour/run.ts"], { cwd: root });
  expect(ran.output).toMatch(/^5 of 5 parts, /m);
  expect(ran.status).toBe(0);
}, 120_000);
