/** Keys of providers, and who else can read or change what they depend on. */
import { stat } from "node:fs/promises";
import { type Finding, fine, problem, TroupeError, warning } from "@troupe/base";
import type { GatewayOptions } from "../options.ts";
import { readKey } from "../provider-key.ts";

type Environment = Readonly<Record<string, string | undefined>>;

const READ_BY_OTHERS = 0o077;
const WRITTEN_BY_OTHERS = 0o022;

/** Each key that an upstream should have: it is read, and never shown. */
export async function checkKeys({ keys }: GatewayOptions, env: Environment): Promise<readonly Finding[]> {
  return await Promise.all(
    Object.entries(keys).map(async ([name, source]) => {
      const check = `key ${name}`;
      try {
        await readKey(name, source, env);
      } catch (error) {
        const mend =
          "variable" in source
            ? `set ${source.variable}`
            : `write the key into ${source.file}, and nothing else`;
        return problem(check, TroupeError.is(error) ? error.message : String(error), mend);
      }
      if ("variable" in source) return fine(check, `in ${source.variable}`);
      const mode = await modeOf(source.file);
      if ((mode & READ_BY_OTHERS) === 0) return fine(check, `in ${source.file}`);
      return warning(check, `${source.file} is open to others (${shown(mode)})`, `chmod 600 ${source.file}`);
    }),
  );
}

/** Whoever can write one of `files` says what runs here. */
export async function checkFiles(files: readonly string[]): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for (const file of files) {
    const mode = await modeOf(file);
    if ((mode & WRITTEN_BY_OTHERS) !== 0)
      findings.push(warning(`file ${file}`, `others can change it (${shown(mode)})`, `chmod go-w ${file}`));
  }
  return findings;
}

/** 0 where there is no such file, or no such thing as its mode. */
async function modeOf(file: string): Promise<number> {
  if (process.platform === "win32") return 0;
  const stats = await stat(file).catch(() => undefined);
  return (stats?.mode ?? 0) & 0o777;
}

function shown(mode: number): string {
  return mode.toString(8).padStart(3, "0");
}
