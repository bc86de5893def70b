/** Terminals: the kit on both drivers. */
import { expect, test } from "vitest";
import { boot, bytes } from "../../../../conformance/sandbox/drivers.ts";
import { terminalKit } from "../../../../conformance/sandbox/terminal-kit.ts";
import { whyNotLoaded } from "../../../plugins/test/support/native-package.ts";
import { EmbeddedDriver } from "../../src/sandbox/embedded/embedded-driver.ts";
import { processes as sandboxed } from "../support/bubblewrap.ts";

const processes = { ...sandboxed, missing: sandboxed.missing ?? whyNotLoaded("@lydell/node-pty") };

terminalKit({ name: "embedded", make: () => new EmbeddedDriver() });
terminalKit(processes);

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
