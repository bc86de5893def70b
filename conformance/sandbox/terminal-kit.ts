/** What the terminals of every `SandboxDriver` must do. Call it in a test file: it registers stories with vitest. */
import { expect } from "vitest";
import type { Sandbox, SandboxProcess } from "../../packages/agent-os/src/index.ts";
import { bytes, type DriverUnderTest, storyteller } from "./drivers.ts";

/** Somebody in front of a terminal. */
class Typist {
  shown = "";
  readonly process: SandboxProcess;

  private constructor(process: SandboxProcess) {
    this.process = process;
  }

  static async open(sandbox: Sandbox, args: readonly string[] = [], command = "sh"): Promise<Typist> {
    const decoder = new TextDecoder();
    let typist: Typist | undefined;
    let early = "";
    const process = await sandbox.spawn(
      { command, args, streamStdin: true, terminal: { cols: 100, rows: 30 } },
      (_stream, data) => {
        early += decoder.decode(data, { stream: true });
        if (typist !== undefined) typist.shown = early;
      },
    );
    typist = new Typist(process);
    typist.shown = early;
    return typist;
  }

  async type(text: string): Promise<void> {
    await this.process.write(bytes(text));
  }

  /** Settles when the terminal shows it. */
  async sees(what: string | RegExp): Promise<void> {
    await expect.poll(() => this.shown, { timeout: 30_000 }).toMatch(what);
  }
}

/** Registers the kit's stories for one driver. */
export function terminalKit(driver: DriverUnderTest): void {
  const story = storyteller(driver, "terminals");

  story("what is typed is shown and run; directory and variables stay; exit has a code", async (sandbox) => {
    const typist = await Typist.open(sandbox);
    await typist.sees(/\$ $/);
    await typist.type("echo $((6 * 7))\r");
    await typist.sees(/\n(?:\$ )*42\r\n/);
    await typist.type("cd /tmp\rNAME=ann\r");
    await typist.type('echo "$PWD $NAME"\r');
    await typist.sees(/\n(?:\$ )*\/tmp ann\r\n/);
    await typist.type("echx\x7fo öfter\r");
    await typist.sees(/\n(?:\$ )*öfter\r\n/);
    await typist.type("touch /home/user/made\rexit 3\r");
    expect(await typist.process.ended).toEqual({ exitCode: 3 });
    expect(await sandbox.exists("/home/user/made")).toBe(true);
    await expect(typist.type("late")).rejects.toMatchObject({ code: "stdin_closed" });
  });

  story("a line knows how the command before it ended", async (sandbox) => {
    const typist = await Typist.open(sandbox);
    await typist.sees(/\$ $/);
    await typist.type("echo x > /nowhere/y\r");
    await typist.type("\recho redirect$?\r");
    // Some shells say 2.
    await typist.sees(/\n(?:\$ )*redirect[12]\r\n/);
    await typist.type("(exit 7)\recho sub$?\recho then$?\rfalse\r\x04");
    await typist.sees(/\n(?:\$ )*sub7\r\n/);
    await typist.sees(/\n(?:\$ )*then0\r\n/);
    expect(await typist.process.ended).toEqual({ exitCode: 1 });
  });

  story("Ctrl-C ends what runs and not the shell, Ctrl-D the shell", async (sandbox) => {
    const typist = await Typist.open(sandbox);
    await typist.sees(/\$ $/);
    await typist.type("while true; do :; done\r");
    await typist.sees(/done\r\n/);
    await typist.type("\x03");
    // What was typed behind it too early is thrown away with the line.
    await typist.sees(/\^C[^$]*\$ $/);
    await typist.type("echo after$((1 + 1))\r");
    await typist.sees(/\n(?:\$ )*after2\r\n/);
    await typist.sees(/\n\$ $/);
    await typist.type("\x04");
    expect(await typist.process.ended).toEqual({ exitCode: 0 });
  });

  story(
    "a command of several lines runs when it is complete, and Ctrl-C forgets what there is of it",
    async (sandbox) => {
      await sandbox.exec("echo kept > keep");
      const typist = await Typist.open(sandbox);
      await typist.sees(/\$ $/);
      await typist.type("cat > x <<'E'\rrm keep\rexit 3\r$HOME\rE\r");
      await typist.type("cat > y <<-E\r\trm keep\r\t$((6 * 7))\r\tE\r");
      await typist.type("for i in a b; do\rif [ $i = b ]; then\recho loop$i\rfi\rdone > z\r");
      await typist.type("echo 'one\rrm keep' > q\recho lo\\\rng |\rtee l\rf() {\recho in f\r}\r");
      await typist.type("if true; then\rrm keep\r");
      await typist.sees(/> $/);
      await typist.type("\x03");
      await typist.sees(/\^C[^$]*\$ $/);
      await typist.type("fi\recho said$((1 + 1))\r");
      await typist.sees(/\n(?:\$ )*said2\r\n/);
      expect((await sandbox.exec("cat keep x y z q l")).stdout).toBe(
        "kept\nrm keep\nexit 3\n$HOME\nrm keep\n42\nloopb\none\nrm keep\nlong\n",
      );
      await typist.type("\x04");
      await typist.process.ended;
    },
  );

  story("it has a size, and another one later", async (sandbox) => {
    const typist = await Typist.open(sandbox);
    await typist.sees(/\$ $/);
    const ask = 'stty size 2>/dev/null || echo "$LINES $COLUMNS"\r';
    await typist.type(ask);
    await typist.sees(/\n(?:\$ )*30 100\r\n/);
    typist.process.resize({ cols: 120, rows: 40 });
    await typist.type(ask);
    await typist.sees(/\n(?:\$ )*40 120\r\n/);
    typist.process.kill("SIGKILL");
    expect(await typist.process.ended).toEqual({ exitCode: 137, signal: "SIGKILL" });
  });

  story(
    "a program may run in it without a shell; a hang-up ends a shell, however early it comes",
    async (sandbox) => {
      const program = await Typist.open(sandbox, ["-c", "echo one; exit 4"]);
      expect(await program.process.ended).toEqual({ exitCode: 4 });
      expect(program.shown).toBe("one\r\n");
      for (let n = 0; n < 20; n += 1) {
        const shell = await Typist.open(sandbox);
        shell.process.kill("SIGHUP");
        expect((await shell.process.ended).exitCode).toBe(129);
      }
    },
  );
}
