/** Temporary folders of a process: what a killed one has left goes with the next of its kind, and nothing else does. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chownSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { makeOwnedFolder } from "../../src/node/owned-folder.ts";

const source = import.meta.resolve("../../src/node/owned-folder.ts");

function temporary(): string {
  const path = mkdtempSync(join(tmpdir(), "owned-test-"));
  vi.stubEnv("TMPDIR", path);
  onTestFinished(() => {
    vi.unstubAllEnvs();
    rmSync(path, { recursive: true, force: true });
  });
  return path;
}

/** A process that has made one of the kind "a", and runs on. */
async function owner(): Promise<{ readonly child: ChildProcess; readonly name: string }> {
  const program = `import { makeOwnedFolder } from ${JSON.stringify(source)};
    process.stdout.write(await makeOwnedFolder("a"));
    process.stdin.resume();`;
  const child = spawn(
    process.execPath,
    ["--conditions=troupe-source", "--input-type=module", "-e", program],
    {
      stdio: ["pipe", "pipe", "inherit"],
    },
  );
  onTestFinished(() => void child.kill("SIGKILL"));
  const [path] = await once(child.stdout, "data");
  return { child, name: basename(`${path}`) };
}

test("a folder goes when its process was killed, and stays while that runs", async () => {
  const place = temporary();
  const killed = await owner();
  const running = await owner();
  killed.child.kill("SIGKILL");
  await once(killed.child, "exit");
  mkdirSync(join(place, killed.name, "plugin"));
  const own = basename(await makeOwnedFolder("a"));
  expect(readdirSync(place).sort()).toEqual([own, running.name].sort());
});

test("a number that was given to another process is no owner; what isn't surely a dead one's stays", async () => {
  const place = temporary();
  const own = basename(await makeOwnedFolder("a"));
  const made = (name: string) => {
    mkdirSync(join(place, name));
    return name;
  };
  const [, began = ""] = /-(\w+)-\w+$/.exec(own) ?? [];
  const earlier = (name: string) => name.replace(`-${began}-`, `-${began}0-`);
  const dead = (name: string) => name.replace(`-${process.pid}-`, "-4194304-");
  const reused = made(earlier(own));
  const kept = [
    made(dead(own).replace(/^a-\w+/, "a-1")), // of other process numbers
    made(dead(own).replace(/^a-/, "b-")),
    made("a-mine"),
  ];
  const linked = dead(own);
  symlinkSync(place, join(place, linked));
  if (process.getuid?.() === 0) {
    const others = made(`${dead(own)}x`);
    chownSync(join(place, others), 1, 1);
    kept.push(others);
  }
  const next = basename(await makeOwnedFolder("a"));
  expect(readdirSync(place).sort()).toEqual([own, next, linked, ...kept].sort());
  expect(began === "0" || !existsSync(join(place, reused))).toBe(true);
});

test("one start removes a hundred, and the next goes on", async () => {
  const place = temporary();
  const own = basename(await makeOwnedFolder("a"));
  for (let n = 0; n < 105; n += 1) mkdirSync(join(place, own.replace(`-${process.pid}-`, `-4194304-`) + n));
  await makeOwnedFolder("a");
  expect(readdirSync(place)).toHaveLength(7);
  await makeOwnedFolder("a");
  expect(readdirSync(place)).toHaveLength(3);
});
