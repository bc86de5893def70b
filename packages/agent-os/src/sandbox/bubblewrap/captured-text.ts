/** CapturedText: the beginning of what a command prints on one stream, in whole characters. */

/** Collects bytes up to a limit, and drops the rest. */
export class CapturedText {
  readonly #most: number;
  readonly #chunks: Uint8Array[] = [];
  #bytes = 0;
  #cut = false;

  constructor(most: number) {
    this.#most = most;
  }

  /** True when something was dropped. */
  get cut(): boolean {
    return this.#cut;
  }

  /** What was kept, as UTF-8. */
  get text(): string {
    // A decoder that expects more keeps back the character that a cut went through.
    return new TextDecoder().decode(Buffer.concat(this.#chunks), { stream: this.#cut });
  }

  add(data: Uint8Array): void {
    const kept = data.subarray(0, this.#most - this.#bytes);
    this.#cut ||= kept.byteLength < data.byteLength;
    if (kept.byteLength === 0) return;
    this.#bytes += kept.byteLength;
    this.#chunks.push(kept);
  }
}
