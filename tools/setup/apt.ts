/** Installs Debian packages where that is possible: apt is there and the user is root. */
import { existsSync } from "node:fs";
import { command } from "../command.ts";

const apt = "/usr/bin/apt-get";
const env = { DEBIAN_FRONTEND: "noninteractive" };

let updated: Promise<boolean> | undefined;

/** Installs `packages`. Gives undefined when that worked, otherwise the reason as the end of a sentence. */
export async function installWithApt(packages: readonly string[]): Promise<string | undefined> {
  if (!existsSync(apt)) return "there is no apt-get to install it with";
  if (process.getuid?.() !== 0) return "installing it needs root";
  updated ??= run(["update"]);
  if (!(await updated)) return "`apt-get update` failed";
  return (await run(["install", "-y", "--no-install-recommends", ...packages]))
    ? undefined
    : `\`apt-get install ${packages.join(" ")}\` failed`;
}

async function run(args: readonly string[]): Promise<boolean> {
  const result = await command(apt, args, { cwd: "/", env, timeoutMs: 300_000 });
  return result.status === 0;
}
