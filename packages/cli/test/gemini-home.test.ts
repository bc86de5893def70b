/** The home of a run of Gemini CLI: what a killed run has left goes with the next one, and what its links lead to stays. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, renameSync, symlinkSync } from "node:fs";
import { basename, join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { GeminiHome, readGeminiHome } from "../src/run/gemini-home.ts";
import { PluginFolder } from "./support/plugin-folder.ts";

test("the home of a run that was killed is removed by the next one, with its links and nothing that they lead to", async () => {
  using folder = new PluginFolder();
  vi.stubEnv("TMPDIR", join(folder.path, "tmp"));
  onTestFinished(() => void vi.unstubAllEnvs());
  mkdirSync(join(folder.path, "tmp"));
  const kept = folder.write("home/.gemini/oauth.json", "{}");
  const env = { HOME: join(folder.path, "home") };
  const contents = await readGeminiHome(env, { hook: "troupe hook", cwd: folder.path });
  const make = () => GeminiHome.make(contents);
  const killed = spawn(process.execPath, ["-e", ""]);
  await once(killed, "exit");

  // Made by this process, under the name that the other would have given it.
  const made = await make();
  const name = basename(made.path).replace(`-${process.pid}-`, `-${killed.pid}-`);
  renameSync(made.path, join(folder.path, "tmp", name));
  symlinkSync(join(folder.path, "home"), join(folder.path, "tmp", `${name}x`));
  mkdirSync(join(folder.path, "tmp", "troupe-gemini-mine"));
  await using running = await make();
  await using next = await make();
  expect(name).toContain(`-${killed.pid}-`);
  expect(readdirSync(join(folder.path, "tmp")).sort()).toEqual(
    [basename(running.path), basename(next.path), "troupe-gemini-mine", `${name}x`].sort(),
  );
  expect(existsSync(kept)).toBe(true);
});
