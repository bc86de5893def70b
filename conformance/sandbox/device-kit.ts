/** What every `SandboxDriver` has in `/dev`, and which mode a file has that is written over. Call it in a test file: it registers stories with vitest. */
import { expect, test } from "vitest";
import type { ImageChanges, ImageEntry, Sandbox } from "../../packages/agent-os/src/index.ts";
import { packImage, unpackImage } from "../../packages/agent-os/src/sandbox/archive.ts";
import { boot, bytes, type DriverUnderTest, storyteller, text } from "./drivers.ts";
import { Shelf } from "./file-kit.ts";

const file = (content: string): ImageEntry => ({
  type: "file",
  content: bytes(content),
  mode: 0o644,
  modifiedAt: 1_000,
});
const directory: ImageEntry = { type: "directory", mode: 0o755, modifiedAt: 1_000 };

/** As an earlier version left it, which had files there. */
const leftThere: ImageChanges = [
  ["/dev", directory],
  ["/dev/full", { type: "symlink", target: "/etc/passwd" }],
  ["/dev/mine", file("mine")],
  ["/dev/null", file("password=hunter2\n")],
  ["/dev/zero", { type: "removed", given: true }],
  ["/home", directory],
  ["/home/user", directory],
  ["/home/user/kept", file("kept")],
];

const devicesOf = async (sandbox: Sandbox) =>
  (await sandbox.snapshot()).filter(([path]) => `${path}/`.startsWith("/dev/"));

/** Registers the kit's stories for one driver. */
export function deviceKit(driver: DriverUnderTest): void {
  const story = storyteller(driver, "devices");

  story("/dev/null takes all, is empty, and is in no copy of the files", async (sandbox) => {
    const says = async (command: string) => {
      const { stdout, stderr } = await sandbox.exec(command);
      return { stdout, stderr };
    };
    expect(
      await says(
        [
          "echo password=hunter2 > /dev/null; cat /dev/null; wc -c < /dev/null",
          "echo old > log; cat /dev/null > log; cp /dev/null other; cat log other; sort < /dev/null",
          "echo x | tee /dev/null; echo y >> /dev/null; { echo z; } > /dev/null; ls nofile &> /dev/null",
          "exec 5> /dev/null; echo q >&5; ln -s /dev/null l; echo l > l; cat l; cp log /dev/null; touch /dev/null",
          "while read line <&3; do cat > /dev/null; done 3< /dev/null < /dev/null",
          "test -e /dev/null && test -c /dev/null && test ! -f /dev/null && test ! -s /dev/null && echo device",
        ].join("\n"),
      ),
    ).toEqual({ stdout: "0\nx\ndevice\n", stderr: "" });
    // More than all files may be.
    await sandbox.exec(
      "seq 1 100000 > many; for i in 1 2 3 4 5; do cat many many many > /dev/null; done; rm many",
    );
    expect(await devicesOf(sandbox)).toEqual([]);
  });

  story("what is in /dev stays, and nothing is put there", async (sandbox) => {
    await sandbox.exec("echo f > f");
    for (const command of [
      "rm /dev/null",
      "mv f /dev/mine",
      "mv f /dev/null",
      "ln -s f /dev/mine",
      "mkdir /dev/mine",
      "echo x > /dev/mine",
      "cp f /dev/mine",
      "touch /dev/mine",
      "echo x > /dev/full",
    ])
      expect((await sandbox.exec(command)).exitCode, command).not.toBe(0);
    await sandbox.exec("rm -rf /dev");
    expect((await sandbox.exec("echo x > /dev/null; cat /dev/null; ls -d /dev/mine")).stdout).toBe("");
    const refused = { group: "sandbox", code: "file_failed", metadata: { code: "EINVAL" } };
    await expect(sandbox.readFile("/dev/null")).rejects.toMatchObject(refused);
    await expect(sandbox.writeFile("/dev/zero", bytes("x"))).rejects.toMatchObject(refused);
    await expect(sandbox.remove("/dev/null")).rejects.toMatchObject({ code: "file_failed" });
    expect(await devicesOf(sandbox)).toEqual([]);
  });

  story("zeros and random bytes are there, as many as are asked for", async (sandbox) => {
    const { stdout } = await sandbox.exec(
      "head -c 3 /dev/zero | wc -c; head -c 100000 /dev/urandom | wc -c; tr -dc a-f0-9 < /dev/urandom | head -c 16 | wc -c; head -c 16 /dev/random | md5sum > a; head -c 16 /dev/random | md5sum > b; diff a b > /dev/null || echo other",
    );
    expect(stdout.replaceAll(" ", "")).toBe("3\n100000\n16\nother\n");
  });

  test(`${driver.name} devices: what an image has in /dev is passed over`, async (context) => {
    const shelf = new Shelf();
    await shelf.save(leftThere);
    const sandbox = await boot(driver, context, { files: shelf });
    const look = async () => {
      const { stdout } = await sandbox.exec(
        "cat /dev/null kept; ls -d /dev/mine; head -c 2 /dev/zero | wc -c",
      );
      expect(stdout.replaceAll(" ", "")).toBe("kept2\n");
      expect(await devicesOf(sandbox)).toEqual([]);
    };
    await look();
    await sandbox.restore(leftThere);
    await look();
    const unpacked = await unpackImage(await packImage(leftThere, 100_000));
    expect(unpacked.map(([path]) => path)).toEqual(["/home", "/home/user", "/home/user/kept"]);
  });

  story("what is written over keeps its mode, and what is new is read by all", async (sandbox) => {
    const path = "/home/user/run";
    const mode = async () => ((await sandbox.stat(path)).mode & 0o777).toString(8);
    await sandbox.writeFile(path, bytes("#!/bin/sh\necho hi\n"));
    expect(await mode()).toBe("644");
    await sandbox.exec("chmod 755 run; echo other > other");
    await sandbox.writeFile(path, bytes("#!/bin/sh\necho edited\n"));
    expect(await mode()).toBe("755");
    expect((await sandbox.exec("./run")).stdout).toBe("edited\n");
    for (const command of [
      "echo x > run",
      "echo x >| run",
      "cat other > run",
      "{ echo x; } > run",
      "exec 3> run; echo x >&3",
      "ln -sf run link; echo x > link",
      "echo x | tee run",
      "sed -i s/x/y/ run",
      "cp other run",
      "sort -o run other",
    ]) {
      await sandbox.exec(command);
      expect(await mode(), command).toBe("755");
    }
    expect(text(await sandbox.readFile(path))).toBe("other\n");
    await sandbox.exec("cp -p other run");
    expect(await mode()).toBe("644");
    await sandbox.exec("chmod 700 run; rm run; echo x > run");
    expect(await mode()).toBe("644");
  });
}
