/** docs/deploying.md: its program serves probes and figures as the page says, and ends as it says. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));
const page = readFileSync(join(root, "docs/deploying.md"), "utf8");

/** The first block of a language. */
function block(language: string): string {
  const text = new RegExp(`^\`\`\`${language}\n([\\s\\S]*?)^\`\`\``, "m").exec(page)?.[1];
  if (text === undefined) throw new Error(`the page has no block of ${language}`);
  return text;
}

/** The page's program, in a folder from which `troupe` is found as in a user's project. */
class Deployed implements AsyncDisposable {
  readonly #folder = mkdtempSync(join(root, "test/docs/.run-"));
  readonly #process: ChildProcess;
  readonly ended: Promise<unknown[]>;
  endpoint = "";

  private constructor() {
    writeFileSync(join(this.#folder, "server.ts"), block("ts"));
    this.#process = spawn(
      process.execPath,
      ["--conditions=troupe-source", "--disable-warning=ExperimentalWarning", "server.ts"],
      {
        cwd: this.#folder,
        env: { ...process.env, TROUPE_PORT: "0", TROUPE_DATA: "data", METRICS_TOKEN: "figures" },
        stdio: ["ignore", "pipe", "inherit"],
      },
    );
    this.ended = once(this.#process, "exit");
  }

  static async start(): Promise<Deployed> {
    const deployed = new Deployed();
    const { stdout } = deployed.#process;
    if (stdout === null) throw new Error("the process has no output");
    for await (const line of createInterface({ input: stdout })) {
      deployed.endpoint = /http:\/\/[\w.]+:\d+/.exec(line)?.[0] ?? "";
      if (deployed.endpoint !== "") return deployed;
    }
    throw new Error("the server has said nothing of where it serves");
  }

  /** Status and body of an answer to a request for `host`. */
  async get(path: string, host: string, authorization?: string): Promise<[number | undefined, string]> {
    const headers = { host, ...(authorization === undefined ? {} : { authorization }) };
    const asked = request(`${this.endpoint}${path}`, { headers, agent: false }).end();
    const [answer] = await once(asked, "response");
    let body = "";
    for await (const chunk of answer.setEncoding("utf8")) body += chunk;
    return [answer.statusCode, body];
  }

  kill(signal: NodeJS.Signals): void {
    this.#process.kill(signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill("SIGKILL");
    await this.ended;
    rmSync(this.#folder, { recursive: true });
  }
}

test("probes are for any Host, figures for the token, the rest for allowed Hosts; the page's table has every metric", async () => {
  await using deployed = await Deployed.start();
  expect(await deployed.get("/livez", "10.1.2.3:6420")).toEqual([200, "ok\n"]);
  expect(await deployed.get("/readyz", "10.1.2.3:6420")).toEqual([200, "ok\n"]);
  expect((await deployed.get("/metrics", "app.example"))[0]).toBe(401);
  expect((await deployed.get("/metrics", "elsewhere.example", "Bearer figures"))[0]).toBe(403);
  const [status, figures] = await deployed.get("/metrics", "app.example", "Bearer figures");
  const named = [...page.matchAll(/^\| `(troupe_\w+)` \| (\w+) \|/gm)].map(
    ([, name, kind]) => `${name} ${kind}`,
  );
  const given = [...figures.matchAll(/^# TYPE (.*)$/gm)].map(([, type]) => type);
  expect([status, named]).toEqual([200, given]);
}, 60_000);

test("SIGTERM ends it with 0", async () => {
  await using deployed = await Deployed.start();
  deployed.kill("SIGTERM");
  expect(await deployed.ended).toEqual([0, null]);
}, 60_000);

test("each unit, image and manifest gives a stop the time that the page speaks of, and starts the same program", () => {
  expect(block("ini")).toContain("TimeoutStopSec=90");
  expect(block("yaml")).toContain("terminationGracePeriodSeconds: 90");
  expect(page).toContain("--stop-timeout 90");
  expect(block("ini")).toContain("ExecStart=/usr/bin/node server.ts");
  expect(block("dockerfile")).toContain('CMD ["node", "server.ts"]');
  const variables = ["HOST", "PORT", "DATA", "LOG", "PROGRAM_VERSION", "INSPECTOR_TOKEN"];
  for (const [, variable = ""] of page.matchAll(/\bTROUPE_([A-Z_]+)/g)) expect(variables).toContain(variable);
});
