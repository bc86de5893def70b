/** README.md: its files are a program that serves, a client that calls it, a test that needs neither file nor port, and its measures are those of docs/measured.md. */
import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { command } from "../../tools/command.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const page = readFileSync(join(root, "README.md"), "utf8");
const flags = ["--conditions=troupe-source", "--disable-warning=ExperimentalWarning"];

/** The page's files, each named before its block, in a folder from which `troupe` is found as in a user's project. */
class Program implements Disposable {
  readonly folder = mkdtempSync(join(root, "test/docs/.run-"));

  constructor(files: ReadonlyMap<string, string>) {
    for (const [name, code] of files) writeFileSync(join(this.folder, name), code);
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true });
  }
}

function filesOf(text: string): Map<string, string> {
  const named = /^`([\w.]+\.ts)`[^\n]*\n(?:[^\n]+\n)*\n```ts\n(.*?)^```/gms;
  return new Map([...text.matchAll(named)].map(([, name = "", code = ""]) => [name, code]));
}

test("the README's test imports the registry, passes and ends: no files, no port", async () => {
  const files = filesOf(page);
  expect([...files.keys()]).toEqual(["registry.ts", "server.ts", "client.ts", "counter.test.ts"]);
  using program = new Program(files);
  const { status, output } = await command(process.execPath, [...flags, "--test", "counter.test.ts"], {
    cwd: program.folder,
    timeoutMs: 60_000,
  });
  expect(output).toContain("pass 1");
  expect(status).toBe(0);
  expect(readdirSync(program.folder).sort()).toEqual([...files.keys()].sort());
});

test("the README's server serves, and its client counts", async () => {
  const files = filesOf(page);
  using program = new Program(files);
  const server = spawn(process.execPath, [...flags, "server.ts"], {
    cwd: program.folder,
    env: { ...process.env, TROUPE_PORT: "0" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  try {
    const endpoint = await endpointOf(createInterface({ input: server.stdout }));
    const client = (files.get("client.ts") ?? "").replace("http://127.0.0.1:6420", endpoint);
    writeFileSync(join(program.folder, "client.ts"), client);
    const options = { cwd: program.folder, timeoutMs: 60_000 };
    for (const count of ["1", "2"])
      expect((await command(process.execPath, [...flags, "client.ts"], options)).output.trim()).toBe(count);
  } finally {
    server.kill("SIGKILL");
    await new Promise((resolve) => server.once("close", resolve));
  }
});

test("each row of the README's table of measures is one of docs/measured.md's", () => {
  const all = rowsOf(readFileSync(join(root, "docs/measured.md"), "utf8")).map(
    ([work, wanted, reached, , , , peers]) => [work, wanted, reached, peers].join("|"),
  );
  const some = rowsOf(page).filter(([, wanted]) => /^[≤≥]/.test(wanted ?? ""));
  expect(some.length).toBeGreaterThan(8);
  for (const row of some) expect(all).toContain(row.join("|"));
});

function rowsOf(text: string): string[][] {
  return text.split("\n").flatMap((line) =>
    line.startsWith("| ")
      ? [
          line
            .slice(1, -1)
            .split("|")
            .map((cell) => cell.trim()),
        ]
      : [],
  );
}

async function endpointOf(lines: AsyncIterable<string>): Promise<string> {
  for await (const line of lines) {
    const endpoint = /http:\/\/[\w.]+:\d+/.exec(line)?.[0];
    if (endpoint !== undefined) return endpoint;
  }
  throw new Error("the server has said nothing of where it serves");
}
