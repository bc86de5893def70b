import { limits } from "@troupe/protocol";

/** The end of what a program printed on its stderr. */
export class StderrTail {
  #chunks: Buffer[] = [];
  #bytes = 0;

  add(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#bytes += chunk.byteLength;
    if (this.#bytes > 2 * limits.agentStderrBytes) this.#shorten();
  }

  toString(): string {
    this.#shorten();
    return Buffer.concat(this.#chunks).toString();
  }

  #shorten(): void {
    const kept = Buffer.concat(this.#chunks).subarray(-limits.agentStderrBytes);
    this.#chunks = [Buffer.from(kept)];
    this.#bytes = kept.byteLength;
  }
}
