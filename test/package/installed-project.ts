/** A project elsewhere that installed the packed packages, as a user's would. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { version } from "react";
import runtime from "../../packages/runtime/package.json" with { type: "json" };
import { type CommandResult, command } from "../../tools/command.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const bin = join(root, "node_modules/.bin");

/** What packs all packages into the folder that stands behind. */
export const PACK = ["pack", "--workspaces", "--pack-destination"];

export class InstalledProject {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  /** Builds and packs every workspace, and installs the tarballs into an empty project. */
  static async create(): Promise<InstalledProject> {
    const project = new InstalledProject(mkdtempSync(join(tmpdir(), "troupe-installed-")));
    await must(join(bin, "tsc"), ["-b", "tsconfig.build.json"], root);
    // As README says.
    const packages = join(project.folder, "troupe");
    mkdirSync(packages);
    await must("npm", [...PACK, packages, "--ignore-scripts"], root);
    project.write("package.json", '{ "name": "elsewhere", "private": true, "type": "module" }');
    const tarballs = readdirSync(packages);
    const install = [
      "install",
      ...tarballs.map((file) => `./troupe/${file}`),
      // A project that uses `troupe/react` or `troupe/db/drizzle` has them of its own.
      `react@${version}`,
      `drizzle-orm@${runtime.peerDependencies["drizzle-orm"]}`,
      "--no-audit",
      "--no-fund",
      "--prefer-offline",
    ];
    await must("npm", install, project.folder);
    return project;
  }

  write(file: string, text: string): void {
    writeFileSync(join(this.folder, file), text);
  }

  /** Runs a program of the project on the Node that runs the tests. */
  run(file: string, ...args: readonly string[]): Promise<CommandResult> {
    return command(process.execPath, [file, ...args], {
      cwd: this.folder,
      env: ownEnvironment(),
      timeoutMs: 30_000,
    });
  }

  /** Compiles with the compiler of this repository; the project itself has none. */
  compile(): Promise<CommandResult> {
    return command(join(bin, "tsc"), ["-p", "."], { cwd: this.folder, timeoutMs: 60_000 });
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

async function must(program: string, args: readonly string[], cwd: string): Promise<void> {
  const result = await command(program, args, { cwd, env: ownEnvironment(), timeoutMs: 120_000 });
  if (result.status !== 0) throw new Error(`${program} ${args.join(" ")} failed:\n${result.output}`);
}

/** What the surrounding npm told its scripts is not meant for another project's npm. */
function ownEnvironment(): Record<string, string> {
  const told = Object.keys(process.env).filter((name) => /^(npm_|INIT_CWD|NODE_OPTIONS|VITEST)/i.test(name));
  return Object.fromEntries(told.map((name) => [name, ""]));
}
