/** What the processes of every `SandboxDriver` must do. Call it in a test file: it registers stories with vitest. */
import { expect, test } from "vitest";
import type {
  ProcessCommand,
  ProcessListener,
  ProcessStream,
  Sandbox,
} from "../../packages/agent-os/src/index.ts";
import { boot, bytes, type DriverUnderTest, storyteller, text } from "./drivers.ts";

/** Collects what a process prints. */
class Printed {
  readonly pieces: (readonly [ProcessStream, string])[] = [];
  readonly listener: ProcessListener = (stream, data) => void this.pieces.push([stream, text(data)]);

  on(stream: ProcessStream): string {
    return this.pieces.flatMap(([on, piece]) => (on === stream ? [piece] : [])).join("");
  }
}

async function run(sandbox: Sandbox, command: ProcessCommand) {
  const printed = new Printed();
  const process = await sandbox.spawn(command, printed.listener);
  const end = await process.ended;
  return { end, stdout: printed.on("stdout"), stderr: printed.on("stderr") };
}

/** Registers the kit's stories for one driver. */
export function processKit(driver: DriverUnderTest): void {
  const story = storyteller(driver, "processes");

  story("streams, exit code, directory, variables; no shell reads the arguments", async (sandbox) => {
    const args = ["-c", 'echo "$1" "$NAME"; pwd; echo err >&2; exit 3', "sh", "it's $HOME *"];
    const told = await run(sandbox, { command: "sh", args, cwd: "/tmp", env: { NAME: "ann" } });
    expect(told).toEqual({ end: { exitCode: 3 }, stdout: "it's $HOME * ann\n/tmp\n", stderr: "err\n" });
    expect((await run(sandbox, { command: "no such'program", args: [] })).end.exitCode).toBe(127);
  });

  story("without streamed stdin there is none; with it, it ends when it is closed", async (sandbox) => {
    expect(await run(sandbox, { command: "cat", args: [] })).toMatchObject({
      end: { exitCode: 0 },
      stdout: "",
    });
    const printed = new Printed();
    const process = await sandbox.spawn({ command: "cat", args: [], streamStdin: true }, printed.listener);
    await process.write(bytes("one\n"));
    await process.write(bytes("zwölf\n"));
    process.closeStdin();
    process.closeStdin();
    await expect(process.write(bytes("late"))).rejects.toMatchObject({ code: "stdin_closed" });
    expect(await process.ended).toEqual({ exitCode: 0 });
    expect(printed.on("stdout")).toBe("one\nzwölf\n");
  });

  story("what is printed arrives byte by byte, whether it is text or not", async (sandbox) => {
    const noText = Uint8Array.of(0x66, 0xff, 0xfe, 0x80, 0xc3, 0x00);
    await sandbox.writeFile("/home/user/b", noText);
    await sandbox.writeFile("/home/user/t", bytes("ÿ is c3 bf\n"));
    const printed = async (command: string, args: readonly string[]): Promise<number[]> => {
      const all: number[] = [];
      const process = await sandbox.spawn({ command, args }, (stream, data) => {
        if (stream === "stdout") all.push(...data);
      });
      expect(await process.ended).toEqual({ exitCode: 0 });
      return all;
    };
    expect(await printed("cat", ["b"])).toEqual([...noText]);
    expect(await printed("cat", ["t"])).toEqual([...bytes("ÿ is c3 bf\n")]);
    expect((await printed("gzip", ["-c", "t"])).slice(0, 2)).toEqual([0x1f, 0x8b]);
  });

  story("all that runs is told of, and by whom it was started; what has ended isn't", async (sandbox) => {
    const lines = ["sleep 1000 & wait", "while true; do :; done"];
    const started = await Promise.all(
      lines.map((line) => sandbox.spawn({ command: "sh", args: ["-c", line] }, () => undefined)),
    );
    const shells = async () => {
      const all = await sandbox.processes();
      return all.flatMap(({ command, args }) => (command.endsWith("sh") ? [args.at(-1)] : [])).sort();
    };
    await expect.poll(shells, { timeout: 20_000 }).toEqual(lines);
    for (const process of started) process.kill("SIGKILL");
    await Promise.all(started.map(({ ended }) => ended));
    await expect.poll(() => sandbox.processes(), { timeout: 20_000 }).toEqual([]);
  });

  story("a signal ends a loop, and one that waits for its stdin", async (sandbox) => {
    const loop = await sandbox.spawn(
      { command: "sh", args: ["-c", "while true; do :; done"] },
      () => undefined,
    );
    loop.kill("SIGKILL");
    loop.kill("SIGTERM");
    expect(await loop.ended).toEqual({ exitCode: 137, signal: "SIGKILL" });
    const waiting = await sandbox.spawn({ command: "cat", args: [], streamStdin: true }, () => undefined);
    waiting.kill("SIGTERM");
    expect(await waiting.ended).toEqual({ exitCode: 143, signal: "SIGTERM" });
    waiting.kill("SIGKILL");
    await expect(waiting.write(bytes("late"))).rejects.toMatchObject({ code: "stdin_closed" });
  });

  story("it runs beside commands, and what it wrote is there when it has ended", async (sandbox) => {
    await sandbox.writeFile("/home/user/before", bytes("seen"));
    const process = await sandbox.spawn(
      { command: "sh", args: ["-c", "cat before; cat > after"], streamStdin: true },
      () => undefined,
    );
    expect((await sandbox.exec("echo beside | tee beside")).stdout).toBe("beside\n");
    await process.write(bytes("written"));
    process.closeStdin();
    expect(await process.ended).toEqual({ exitCode: 0 });
    expect((await sandbox.exec("cat before beside after")).stdout).toBe("seenbeside\nwritten");
  });

  test(`${driver.name} processes: a shutdown ends what runs, and nothing is started behind it`, {
    timeout: 120_000,
  }, async (context) => {
    const sandbox = await boot(driver, context);
    const loop = await sandbox.spawn(
      { command: "sh", args: ["-c", "while true; do :; done"] },
      () => undefined,
    );
    await sandbox.shutdown();
    expect(await loop.ended).toMatchObject({ signal: "SIGKILL" });
    await expect(sandbox.spawn({ command: "true", args: [] }, () => undefined)).rejects.toMatchObject({
      code: "closed",
    });
  });
}
