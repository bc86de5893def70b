import { expect, test } from "vitest";
import { command } from "./command.ts";

const node = (script: string, timeoutMs?: number) =>
  command(process.execPath, ["--eval", script], {
    cwd: "/",
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  });

test("status and output are kept", async () => {
  expect(await node("console.log(1); process.exitCode = 3")).toEqual({
    status: 3,
    output: "1\n",
    timedOut: false,
  });
  expect(await command("/nowhere/program", [], { cwd: "/" })).toMatchObject({ status: -1, timedOut: false });
});

test("when its time is up, it and what it started are killed", async () => {
  const child = '["--eval", "setInterval(() => {}, 1000)"]';
  const script = `console.log(require("child_process").spawn(process.execPath, ${child}, { stdio: "inherit" }).pid); for (;;);`;
  const result = await node(script, 1_000);
  expect(result).toMatchObject({ status: -1, timedOut: true });
  // "close" comes when nobody holds the pipes any more, so the inner process has ended, too.
  expect(Number(result.output)).toBeGreaterThan(1);
});
