/** Checks that other programs make: formatter and linter, compiler, build. Their own words are the best report. */
import { existsSync } from "node:fs";
import { isAbsolute, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import type { Check, Problem } from "../check.ts";
import { type CommandResult, command } from "../command.ts";
import type { Repository } from "../repository.ts";

const tools = fileURLToPath(new URL("../../node_modules/.bin/", import.meta.url));

export const lintCheck: Check = {
  name: "format and lint",
  remedy: "`npm run format` mends most of it; `npm run lint` shows the rest with its reasons.",
  find: async (repository) => {
    const args = ["check", "--error-on-warnings", "--diagnostic-level=warn", "--max-diagnostics=200"];
    const result = await run(repository, "biome", [...args, "--reporter=github", "."]);
    if (result.status === 0) return [];
    const problems = result.output.split("\n").flatMap((line) => lintProblem(repository, line));
    return problems.length > 0 ? problems : said(result);
  },
};

/** Reads one line of biome's shortest report: `::error title=…,file=…,line=…,…::message`. */
function lintProblem(repository: Repository, line: string): Problem[] {
  const [, rule, file, number, message] =
    /^::\w+ title=(.*?),file=(.*?),line=(\d+),.*?::(.*)$/.exec(line) ?? [];
  if (rule === undefined || file === undefined) return [];
  const path = isAbsolute(file) ? relative(repository.root, file) : file;
  if (rule === "format") return [{ at: path, message: "is not formatted" }];
  return [{ at: `${path}:${number}`, message: `${message} (${rule})` }];
}

export const typesCheck: Check = {
  name: "types",
  remedy: "`npm run types` shows the same; mend the types, not the settings.",
  find: async (repository) =>
    said(await run(repository, "tsc", ["--noEmit", "--pretty", "false", "-p", "tsconfig.json"])),
};

export const buildCheck: Check = {
  name: "build",
  remedy:
    "`npm run build` shows the same; a package that is imported must stand in `references` of the importer's tsconfig.json.",
  find: async (repository) => {
    const problems = said(await run(repository, "tsc", ["-b", "--pretty", "false", "tsconfig.build.json"]));
    return problems.length > 0 ? problems : missingOutputs(repository);
  },
};

/** Whatever `exports` promises must be there after a build. */
function missingOutputs(repository: Repository): Problem[] {
  return repository.packages().flatMap(({ folder, manifest }) =>
    Object.values(manifest.exports ?? {})
      .flatMap((conditions) => Object.values(conditions))
      .filter((file) => !existsSync(join(repository.root, "packages", folder, file)))
      .map((file) => ({
        at: `packages/${folder}/package.json`,
        message: `exports ${file}, which is not there`,
      })),
  );
}

function run(repository: Repository, program: string, args: readonly string[]): Promise<CommandResult> {
  return command(join(tools, program), args, { cwd: repository.root });
}

function said(result: CommandResult): Problem[] {
  return result.status === 0
    ? []
    : [{ at: "", message: result.output.trim() || `exit code ${result.status}` }];
}
