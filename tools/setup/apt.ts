/** Debian's packages, where apt is there: installed, which root may, or unpacked into a folder, which anybody may. */
import { existsSync } from "node:fs";
import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { command } from "../command.ts";

const apt = "/usr/bin/apt-get";
const env = { DEBIAN_FRONTEND: "noninteractive" };
const timeoutMs = 300_000;

let updated: Promise<boolean> | undefined;
/** What apt was asked to install: it takes one caller at a time. */
let installing: Promise<unknown> = Promise.resolve();

/** Installs `packages`. Gives undefined when that worked, otherwise the reason as the end of a sentence. */
export function installWithApt(packages: readonly string[]): Promise<string | undefined> {
  const install = async (): Promise<string | undefined> => {
    if (!existsSync(apt)) return "there is no apt-get to install it with";
    if (process.getuid?.() !== 0) return "installing it needs root";
    updated ??= run(["update"]);
    if (!(await updated)) return "`apt-get update` failed";
    return (await run(["install", "-y", "--no-install-recommends", ...packages]))
      ? undefined
      : `\`apt-get install ${packages.join(" ")}\` failed`;
  };
  const installed = installing.then(install);
  installing = installed;
  return installed;
}

/** Resolves when all that was to be installed up to now is, or can't be. */
export async function installations(): Promise<void> {
  await installing;
}

/**
 * Downloads `packages`, and what they need and the machine hasn't, and unpacks them into `folder`, without what `leaveOut` names
 * (as `tar --exclude` does). The machine's own packages, lists and locks are left alone. Gives what `installWithApt` gives.
 */
export async function unpackWithApt(
  packages: readonly string[],
  folder: string,
  leaveOut: readonly string[],
): Promise<string | undefined> {
  if (!existsSync(apt)) return "there is no apt-get to download it with";
  const own = join(folder, ".apt");
  const archives = join(own, "archives");
  await mkdir(join(own, "lists/partial"), { recursive: true });
  await mkdir(join(archives, "partial"), { recursive: true });
  const options = Object.entries({
    "Dir::State": own,
    "Dir::State::status": "/var/lib/dpkg/status",
    "Dir::Cache": own,
    "Dir::Cache::archives": archives,
    "Debug::NoLocking": "1",
    // Else root's downloads are a user's who can't write there.
    "APT::Sandbox::User": "root",
  }).flatMap(([name, value]) => ["-o", `${name}=${value}`]);
  // A source that can't be reached may be one that isn't needed.
  await run([...options, "update"]);
  const download = ["install", "-y", "--no-install-recommends", "--download-only", "--reinstall"];
  if (!(await run([...options, ...download, ...packages])))
    return `the download of Debian's packages ${packages.join(", ")} failed`;
  for (const name of await readdir(archives)) {
    if (name.endsWith(".deb") && !(await unpack(join(archives, name), folder, leaveOut)))
      return `Debian's package ${name} could not be unpacked`;
  }
  await rm(own, { recursive: true });
  return undefined;
}

async function unpack(file: string, folder: string, leaveOut: readonly string[]): Promise<boolean> {
  const script = 'file=$1; shift; dpkg-deb --fsys-tarfile "$file" | tar --extract "$@"';
  const patterns = [
    "--anchored",
    "--no-wildcards-match-slash",
    ...leaveOut.map((what) => `--exclude=${what}`),
  ];
  const args = [`--directory=${folder}`, "--no-same-owner", ...patterns];
  const { status } = await command("sh", ["-c", script, "sh", file, ...args], { cwd: folder, timeoutMs });
  return status === 0;
}

async function run(args: readonly string[]): Promise<boolean> {
  const { status } = await command(apt, args, { cwd: "/", env, timeoutMs });
  return status === 0;
}
