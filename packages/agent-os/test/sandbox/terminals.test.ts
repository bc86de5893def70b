/** Terminals: the kit on both drivers. */
import { limits } from "@troupe/protocol";
import { expect, onTestFinished, test } from "vitest";
import { boot, bytes } from "../../../../conformance/sandbox/drivers.ts";
import { terminalKit } from "../../../../conformance/sandbox/terminal-kit.ts";
import { whyNotLoaded } from "../../../plugins/test/support/native-package.ts";
import { EmbeddedDriver } from "../../src/sandbox/embedded/embedded-driver.ts";
import { processes as sandboxed } from "../support/bubblewrap.ts";

const processes = { ...sandboxed, missing: sandboxed.missing ?? whyNotLoaded("@lydell/node-pty") };

terminalKit({ name: "embedded", make: () => new EmbeddedDriver() });
terminalKit(processes);

const shell = { command: "sh", args: [], streamStdin: true, terminal: { cols: 80, rows: 24 } };

async function embeddedShell() {
  const sandbox = await new EmbeddedDriver().boot({ signal: new AbortController().signal });
  onTestFinished(() => sandbox.shutdown());
  const pieces: string[] = [];
  const process = await sandbox.spawn(
    shell,
    (_stream, data) => void pieces.push(new TextDecoder().decode(data)),
  );
  return { process, pieces, shown: () => pieces.join("") };
}

test("what is pasted into an embedded shell is shown in one piece, and a line has a longest", async () => {
  const { process, pieces, shown } = await embeddedShell();
  const pasted = "x".repeat(100_000);
  await process.write(bytes(pasted));
  await expect.poll(shown).toBe(`$ ${pasted}`);
  expect(pieces).toEqual(["$ ", pasted]);
  await process.write(new Uint8Array(limits.processStdinBytes).fill(0x78));
  await expect.poll(() => pieces.at(-1)).toSatisfy((piece) => piece.endsWith("\u0007"));
  expect(shown()).toHaveLength(2 + limits.processStdinBytes + 1);
  // What is too long can be taken back.
  await process.write(bytes("\u0015echo on\r"));
  await expect.poll(shown, { timeout: 30_000 }).toMatch(/\r\non\r\n/);
});

test("an embedded shell's variables have a limit: past it they are as before the line, and it says so", async () => {
  const { process, shown } = await embeddedShell();
  await process.write(bytes(`small=1; big=$(printf '%${limits.sandboxVariableBytes}s' x)\r`));
  await expect.poll(shown, { timeout: 30_000 }).toMatch(/variables took more than \d+ bytes.*\r\n\$ $/s);
  await process.write(bytes('echo "<$?:$small:$' + '{#big}>"\r'));
  await expect.poll(shown, { timeout: 30_000 }).toMatch(/\r\n<\d:?:0>\r\n/);
  await process.write(bytes("kept=$(printf '%1000s' x)\r"));
  await process.write(bytes('echo "<$' + '{#kept}>"\r'));
  await expect.poll(shown, { timeout: 30_000 }).toMatch(/\r\n<1000>\r\n/);
}, 60_000);

test("a terminal of the process driver is a real one", async (context) => {
  const sandbox = await boot(processes, context);
  let shown = "";
  const line =
    'test -t 0 && test -t 1 && test -t 2 && tty && stty -echo; echo ready; read secret; echo "got $secret"';
  const process = await sandbox.spawn(
    { command: "bash", args: ["-c", line], streamStdin: true, terminal: { cols: 80, rows: 24 } },
    (_stream, data) => {
      shown += new TextDecoder().decode(data);
    },
  );
  await expect.poll(() => shown, { timeout: 30_000 }).toMatch(/\/dev\/pts\/\d+\r\nready/);
  await process.write(bytes("hidden\r"));
  expect(await process.ended).toEqual({ exitCode: 0 });
  // What is typed where a program asks for a password isn't shown.
  expect(shown.match(/hidden/g)).toHaveLength(1);
});
