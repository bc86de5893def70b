/** Where a runtime's catalogue is kept: one small text that is replaced as a whole. */
export interface CatalogueFile {
  /** How people find it. */
  readonly path: string;
  /** The text; undefined before the first `write`. Throws `storage.*`. */
  read(): string | undefined;
  /** Durable when it returns: after a crash it holds this text or the one before. Throws `storage.*`. */
  write(text: string): void;
}

/** A file in memory: it ends with its process. */
export function memoryCatalogue(): CatalogueFile {
  let kept: string | undefined;
  return {
    path: "memory",
    read: () => kept,
    write: (text) => {
      kept = text;
    },
  };
}
