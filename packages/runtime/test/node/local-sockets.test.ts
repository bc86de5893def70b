/** The socket of an actor, where its process is killed: the next one that opens a door takes it away. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { nodeLocalSockets } from "../../src/node/local-sockets.ts";

const source = import.meta.resolve("../../src/node/local-sockets.ts");

test("what a killed process has left goes with the next door, and a door that is open stays", async () => {
  const temporary = mkdtempSync(join(tmpdir(), "doors-"));
  vi.stubEnv("TMPDIR", temporary);
  onTestFinished(() => {
    vi.unstubAllEnvs();
    rmSync(temporary, { recursive: true, force: true });
  });
  const program = `import { nodeLocalSockets } from ${JSON.stringify(source)};
    process.stdout.write((await nodeLocalSockets.open(() => {})).path);
    process.stdin.resume();`;
  const child = spawn(
    process.execPath,
    ["--conditions=troupe-source", "--input-type=module", "-e", program],
    { stdio: ["pipe", "pipe", "inherit"] },
  );
  onTestFinished(() => void child.kill("SIGKILL"));
  const [said] = await once(child.stdout, "data");
  const left = dirname(`${said}`);
  const beside = await nodeLocalSockets?.open(() => {});
  expect([existsSync(left), existsSync(beside?.path ?? "")]).toEqual([true, true]);
  child.kill("SIGKILL");
  await once(child, "exit");
  const next = await nodeLocalSockets?.open(() => {});
  expect([existsSync(left), existsSync(beside?.path ?? ""), existsSync(next?.path ?? "")]).toEqual([
    ...[false, true, true],
  ]);
  beside?.close();
  next?.close();
  expect(existsSync(dirname(next?.path ?? ""))).toBe(false);
});
