/** A context of node:test's, or vitest's, whose end the story sees. */
export class Scope {
  readonly ends: (() => Promise<void>)[] = [];

  after(end: () => Promise<void>): void {
    this.ends.push(end);
  }

  async end(): Promise<void> {
    for (const end of this.ends.splice(0)) await end();
  }
}
