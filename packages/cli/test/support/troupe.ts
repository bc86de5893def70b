/** `troupe`, in this process: for one user, in one project. */
import { createHash } from "node:crypto";
import { lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { TroupeError } from "@troupe/base";
import { troupeProgram } from "../../src/program.ts";

/** What a command said, and how it ended. */
export interface Said {
  readonly out: string;
  readonly failed: boolean;
  readonly exitCode: number;
}

export class Troupe implements Disposable {
  readonly path: string = mkdtempSync(join(tmpdir(), "troupe-home-"));
  readonly config: string = join(this.path, "config");
  readonly project: string = join(this.path, "project");

  /** Variables, beside the one that says where the user's files are. */
  env: Readonly<Record<string, string>> = {};
  /** What a person at the terminal types, and what they were asked; nobody is there by default. */
  types: string | undefined;
  asked: string[] = [];

  constructor() {
    mkdirSync(this.project);
  }

  write(name: string, content: string): string {
    const path = join(this.path, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
    return path;
  }

  /** Runs `troupe plugins <args>`. Throws what it throws. */
  plugins(...args: readonly string[]): Promise<Said> {
    return this.run("plugins", ...args);
  }

  /** Runs `troupe <args>`. Throws what it throws. */
  async run(...args: readonly string[]): Promise<Said> {
    let out = "";
    let failed = false;
    let exitCode = 0;
    const program = troupeProgram({
      cwd: this.project,
      env: { XDG_CONFIG_HOME: this.config, ...this.env },
      out: (text) => {
        out += text;
      },
      fail: (code = 1) => {
        failed = true;
        exitCode = code;
      },
      asked: async () => "SIGTERM",
      ...(this.types !== undefined && { ask: (question: string) => this.#typed(question) }),
    });
    await program.parseAsync(args, { from: "user" });
    return { out, failed, exitCode };
  }

  async #typed(question: string): Promise<string> {
    this.asked.push(question);
    return this.types ?? "";
  }

  /** The same with `--json`; what it said. */
  async json(...args: readonly string[]): Promise<unknown> {
    return JSON.parse((await this.plugins(...args, "--json")).out);
  }

  /** `group.code` of what it throws. */
  async refused(...args: readonly string[]): Promise<string> {
    try {
      await this.plugins(...args);
    } catch (error) {
      if (TroupeError.is(error)) return `${error.group}.${error.code}`;
      throw error;
    }
    throw new Error(`${args.join(" ")}: it wasn't refused`);
  }

  /** Of every name, kind, size, time of change and content below this user's folders. */
  digest(): string {
    const hash = createHash("sha256");
    for (const name of readdirSync(this.path, { recursive: true, encoding: "utf8" }).sort()) {
      const path = join(this.path, name);
      const stats = lstatSync(path);
      hash.update(`${name} ${stats.mode} ${stats.size} ${stats.mtimeMs} ${stats.ino}\n`);
      if (stats.isFile()) hash.update(readFileSync(path));
    }
    return hash.digest("hex");
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}
