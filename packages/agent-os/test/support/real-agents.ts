/** Real agents as npm has them, in a home and a project of their own, with a scripted model for theirs. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import type { AgentCommand } from "@troupe/agent-os";

/** A folder with a home and a project. */
export class Place implements Disposable {
  readonly #root = mkdtempSync(join(tmpdir(), "troupe-real-agent-"));
  readonly home = join(this.#root, "home");
  readonly project = join(this.#root, "project");

  constructor() {
    for (const folder of [this.home, this.project]) mkdirSync(folder);
  }

  write(path: string, content: string): void {
    mkdirSync(dirname(join(this.#root, path)), { recursive: true });
    writeFileSync(join(this.#root, path), content);
  }

  read(path: string): string {
    return readFileSync(join(this.#root, path), "utf8");
  }

  [Symbol.dispose](): void {
    rmSync(this.#root, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
  }
}

/** Gemini CLI; `TROUPE_TEST_GEMINI` says where it is. Its model is wherever its actor says. */
export function gemini(program: string, place: Place): AgentCommand {
  return {
    command: process.execPath,
    args: [program, "--acp", "-m", "gemini-2.5-flash", "--skip-trust"],
    cwd: place.project,
    env: {
      HOME: place.home,
      GEMINI_API_KEY: "sk-mine",
      // One process, so that a signal ends all of it.
      GEMINI_CLI_NO_RELAUNCH: "true",
    },
  };
}

/** Pi; `TROUPE_TEST_PI` says where its ACP side is. */
export function pi(program: string, place: Place, modelUrl: string): AgentCommand {
  const scripted = { baseUrl: `${modelUrl}/v1`, api: "openai-completions", apiKey: "sk-mine" };
  const providers = { scripted: { ...scripted, models: [{ id: "scripted" }] } };
  const settings = { defaultProvider: "scripted", defaultModel: "scripted", quietStartup: true };
  place.write("home/.pi/agent/models.json", JSON.stringify({ providers }));
  place.write("home/.pi/agent/settings.json", JSON.stringify(settings));
  return {
    command: process.execPath,
    args: [program],
    cwd: place.project,
    env: {
      HOME: place.home,
      PATH: [dirname(process.execPath), process.env.PATH].join(delimiter),
      PI_OFFLINE: "1",
      PI_ACP_PI_COMMAND: join(dirname(program), "pi"),
    },
  };
}
