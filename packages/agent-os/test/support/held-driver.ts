/** A sandbox driver in the hands of a test: it boots when it is told to, and counts. */
import type { ImageChanges, Sandbox, SandboxDriver } from "@troupe/agent-os";

/** Boots empty sandboxes, each held until the test lets it go. */
export class HeldDriver implements SandboxDriver {
  readonly name = "held";
  /** What happened, in order. */
  readonly story: string[] = [];
  /** False: each boot succeeds at once. */
  hold = true;
  readonly #held: { readonly resolve: () => void; readonly reject: (cause: unknown) => void }[] = [];

  async boot({ signal }: { readonly signal: AbortSignal }): Promise<Sandbox> {
    this.story.push("boot");
    signal.addEventListener("abort", () => this.story.push("abort"));
    if (this.hold) await new Promise<void>((resolve, reject) => this.#held.push({ resolve, reject }));
    this.story.push("up");
    return new EmptySandbox(() => this.story.push("shutdown"));
  }

  /** The oldest held boot succeeds. */
  letGo(): void {
    this.#held.shift()?.resolve();
  }

  /** The oldest held boot fails. */
  fail(cause: unknown): void {
    this.#held.shift()?.reject(cause);
  }
}

/** Has one file and one command. */
class EmptySandbox implements Sandbox {
  readonly #onShutdown: () => void;

  constructor(onShutdown: () => void) {
    this.#onShutdown = onShutdown;
  }

  exec = async (command: string) => ({ exitCode: 0, stdout: command, stderr: "", truncated: false });
  spawn = async () => ({
    ended: Promise.resolve({ exitCode: 0 }),
    write: async () => undefined,
    closeStdin: () => undefined,
    resize: () => undefined,
    kill: () => undefined,
  });
  processes = async () => [];
  readFile = async () => new TextEncoder().encode("a file");
  writeFile = async () => undefined;
  stat = async () => ({ type: "file" as const, size: 6, mode: 0o644, modifiedAt: 0 });
  exists = async () => true;
  readdir = async () => [];
  mkdir = async () => undefined;
  move = async () => undefined;
  remove = async () => undefined;
  snapshot = async () => [];
  restore = async () => undefined;
  whileSaved = <R>(work: (above: ImageChanges) => Promise<R>) => work([]);
  connect = () => Promise.reject(new Error("nobody listens"));
  shutdown = async () => this.#onShutdown();
}
