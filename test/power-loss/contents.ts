/** Bytes of one file that grow as they are written; what was never written reads as zeros. */
export class Contents {
  #bytes: Buffer;
  size: number;

  constructor(initial: Uint8Array = new Uint8Array(0)) {
    this.#bytes = Buffer.from(initial);
    this.size = initial.length;
  }

  write(offset: number, data: Uint8Array): void {
    const end = offset + data.length;
    this.#reserve(end);
    this.#bytes.set(data, offset);
    this.size = Math.max(this.size, end);
  }

  truncate(size: number): void {
    this.#reserve(size);
    if (size < this.size) this.#bytes.fill(0, size, this.size);
    this.size = size;
  }

  bytes(): Buffer {
    return this.#bytes.subarray(0, this.size);
  }

  copy(): Contents {
    return new Contents(this.bytes());
  }

  #reserve(size: number): void {
    if (size <= this.#bytes.length) return;
    const larger = Buffer.alloc(Math.max(size, this.#bytes.length * 2, 65536));
    larger.set(this.bytes());
    this.#bytes = larger;
  }
}
