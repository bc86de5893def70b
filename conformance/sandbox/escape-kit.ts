/**
 * Attempts to get out of a sandbox, for every `SandboxDriver`. Each asks for a secret that lies in a file of the host, or for a right
 * that nobody inside has. Call it in a test file: it registers stories with vitest.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished } from "vitest";
import type { Sandbox } from "../../packages/agent-os/src/index.ts";
import { type DriverUnderTest, storyteller } from "./drivers.ts";

const SECRET = "a secret of the host";

/** A file of the host that everybody there may read. */
function hostSecret(): string {
  const folder = mkdtempSync(join(tmpdir(), "troupe-secret-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, "secret"), SECRET, { mode: 0o644 });
  return join(folder, "secret");
}

/** It may fail, as long as it is told as such. */
function failed(cause: unknown): void {
  expect(cause).toMatchObject({ group: "sandbox", code: "file_failed" });
}

/** None of these says the secret. */
async function expectSilence(sandbox: Sandbox, commands: readonly string[]): Promise<void> {
  for (const command of commands) {
    const { stdout, stderr } = await sandbox.exec(command, { timeoutMs: 20_000 });
    expect(stdout + stderr, command).not.toContain(SECRET);
  }
}

/** Registers the kit's stories for one driver. */
export function escapeKit(driver: DriverUnderTest): void {
  const story = storyteller(driver, "escapes");

  story("no path leads out: climbing, links, other processes' roots", async (sandbox) => {
    const secret = hostSecret();
    const roots = ["/proc/1/root", "/proc/2/root", "/proc/self/root", "/proc/1/cwd/../../..", "/proc/2/cwd"];
    await expectSilence(sandbox, [
      `cat ${secret}`,
      `cat ../../../../../../..${secret}`,
      `ln -s ${secret} link; cat link`,
      `ln -s / root; cat root${secret}`,
      `ln -s ../../../../.. up; cat up${secret}`,
      `ln ${secret} hard; cat hard`,
      ...roots.map((root) => `cat ${root}${secret}`),
      "cat /proc/*/environ /proc/*/cmdline | tr '\\0' '\\n'",
      `for fd in /proc/*/fd/*; do cat "$fd/../secret" "$fd/${secret}"; done </dev/null`,
    ]);
    for (const path of [secret, `/home/user/../..${secret}`, "/home/user/link", `/home/user/root${secret}`])
      await expect(sandbox.readFile(path)).rejects.toMatchObject({ code: "file_failed" });
    await sandbox.writeFile("/home/user/up/x", new Uint8Array([1])).catch(() => undefined);
    await sandbox.writeFile(secret, new Uint8Array([1])).catch(() => undefined);
    // What it wrote under that name is its own.
    expect(readFileSync(secret, "utf8")).toBe(SECRET);
  });

  story(
    "no spelling of a path leads out: case, Unicode, escapes, bytes that are no text",
    async (sandbox) => {
      const secret = hostSecret();
      // Each is a name, or a part of one, that something between the caller and the file might take for a dot, a slash or another case.
      const dots = [
        "\uff0e\uff0e",
        "\u2024\u2024",
        "\u2025",
        ".\u200d.",
        ".\u0307.",
        "..\ufeff",
        "%2e%2e",
        "..%00",
        "..;",
        "...",
      ];
      const slashes = ["\uff0f", "\u2044", "\u2215", "\u29f8", "\\", "%2f", "%252f", "%c0%af"];
      const climbs = [
        ...dots.map((dot) => `/home/user/${`${dot}/`.repeat(6)}${secret.slice(1)}`),
        ...slashes.map(
          (slash) => `/home/user/${`..${slash}`.repeat(6)}${secret.slice(1).replaceAll("/", slash)}`,
        ),
        `/PROC/1/ROOT${secret}`,
        `/Proc/Self/Root${secret}`,
        `/\u017froc/1/root${secret}`,
        `/home/user/\ud800/../../..${secret}`,
        `file://${secret}`,
        `//${secret}`,
        `/home/user/link\u0000/../../..${secret}`,
      ];
      const said: string[] = [];
      for (const path of climbs) {
        await sandbox.readFile(path).then((content) => said.push(new TextDecoder().decode(content)), failed);
        if (!path.includes("\0")) await expectSilence(sandbox, [`cat '${path}'`]);
        // What it can write under such a name is its own.
        await sandbox.writeFile(path, new Uint8Array([1])).catch(failed);
        await sandbox.move("/home/user", path).catch(failed);
      }
      expect(said.join()).not.toContain(SECRET);
      await expectSilence(sandbox, [
        `cat $'\\xc0\\xae\\xc0\\xae/'..${secret}`,
        `cd $'\\xff'; cat ..$'\\xc0\\xaf'..${secret}`,
        `ln -s $'\\uff0e\\uff0e/\\uff0e\\uff0e${secret}' wide; cat wide`,
      ]);
      expect(readFileSync(secret, "utf8")).toBe(SECRET);
    },
  );

  story("a path that changes while it is used leads nowhere else", async (sandbox) => {
    const secret = hostSecret();
    const racer = await sandbox.spawn(
      {
        command: "sh",
        args: ["-c", `while true; do ln -sfn ${secret} race; rm -f race; echo mine > race; done`],
      },
      () => undefined,
    );
    for (let n = 0; n < 30; n += 1) {
      const read = await sandbox.readFile("/home/user/race").catch(() => new Uint8Array());
      expect(new TextDecoder().decode(read)).not.toContain(SECRET);
    }
    racer.kill("SIGKILL");
    await racer.ended;
  });

  story("there is no device, no set-user-id and no right to be had", async (sandbox) => {
    const failing = [
      "mknod disk b 254 0 && head -c 1 disk",
      "mount -t tmpfs none /tmp",
      "unshare -Ur true",
      "chroot / true",
      "dd if=/dev/sda of=/dev/null count=1",
      "dd if=/dev/vda of=/dev/null count=1",
      "dd if=/dev/mem of=/dev/null count=1",
      "cat /etc/shadow",
      "su -c true </dev/null",
      "sysctl -w kernel.hostname=x",
    ];
    for (const command of failing)
      expect((await sandbox.exec(command, { timeoutMs: 20_000 })).exitCode, command).not.toBe(0);
    const { stdout } = await sandbox.exec("cp /bin/sh mine; chmod 4755 mine; ./mine -p -c 'id -u'; id -u");
    expect(stdout.split("\n")).not.toContain("0");
  });

  story("without a network nothing of the host answers, on any address", async (sandbox) => {
    const asked: string[] = [];
    const server = createServer((socket) => {
      asked.push("connected");
      socket.destroy();
    });
    await new Promise<void>((resolve) => server.listen(0, "0.0.0.0", resolve));
    onTestFinished(() => void server.close());
    const address = server.address();
    const port = typeof address === "object" ? address?.port : 0;
    for (const host of ["127.0.0.1", "localhost", "[::1]", "0.0.0.0", "169.254.169.254"])
      expect((await sandbox.exec(`curl -m 5 http://${host}:${port}/`)).exitCode).not.toBe(0);
    await sandbox.exec(`echo x > /dev/tcp/127.0.0.1/${port}`);
    expect(asked).toEqual([]);
  });
}
