/** What docs/backup.md shows does what the page says. */
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { actor, setup } from "@troupe/runtime";
import { expect, test, vi } from "vitest";
import { troupeBundle } from "../../../../tools/setup/troupe-bundle.ts";
import { Troupe } from "../support/troupe.ts";

const page = readFileSync(new URL("../../../../docs/backup.md", import.meta.url), "utf8");
const blocks = (kind: string) =>
  [...page.matchAll(new RegExp(`^\`\`\`${kind}\n(.*?)^\`\`\`$`, "gms"))].map(([, code = ""]) => code);

test("docs/backup.md: backups of a program and of the command line, restored, examined and saved", async () => {
  using troupe = new Troupe();
  const backups = join(troupe.path, "backups");
  mkdirSync(backups);
  const registry = setup({
    use: { counter: actor({ state: { n: 0 }, actions: { add: (c) => ++c.state.n } }) },
  });
  const dataDir = join(troupe.path, ".troupe");
  await registry.start({ port: 0, dataDir, signals: false, banner: false });
  const { counter } = await registry.client();
  expect(await counter.getOrCreate("a").add()).toBe(1);
  const log = vi.spyOn(console, "log").mockImplementation(() => {});
  const [program = ""] = blocks("ts");
  const run = new Function(
    "registry",
    "target",
    `return (async () => { ${program}; return { path, files, bytes }; })()`,
  );
  expect(await run(registry, join(backups, "latest"))).toMatchObject({
    path: join(backups, "latest"),
    files: 2,
  });
  expect(log).toHaveBeenCalled();
  log.mockRestore();
  await registry.stop();

  const shell = (script: string): string =>
    execFileSync(
      "sh",
      [
        "-ec",
        script
          .replaceAll("npx --no-install troupe", '"$NODE" --conditions=troupe-source "$BIN"')
          .replaceAll("/backups", '"$BACKUPS"'),
      ],
      {
        cwd: troupe.path,
        encoding: "utf8",
        env: { ...process.env, NODE: process.execPath, BIN: troupeBundle, BACKUPS: backups },
      },
    );
  const [backup = "", restore = "", doctor = "", salvage = ""] = blocks("sh");
  expect(shell(backup)).toMatch(/^Backed up 2 files/);
  expect(readdirSync(backups)).toHaveLength(2);
  renameSync(dataDir, join(troupe.path, "old"));
  expect(shell(restore)).toMatch(/^Restored 2 files.*Nothing is wrong with the data\./s);
  expect(shell(doctor)).toContain("Nothing is wrong");
  cpSync(dataDir, join(troupe.path, "copy"), { recursive: true });
  expect(shell(salvage)).toContain("Salvaged to");
  expect(existsSync(join(troupe.path, "saved", "salvage.json"))).toBe(true);
});
