/** A place in just-bash whose text is another when it is imported. */
export interface ShellCorrection {
  /** What is wrong there. */
  readonly why: string;
  /** Its file, in `dist/bundle`. */
  readonly file: string;
  /** What stands there, once. */
  readonly has: string;
  /** What is to stand there. It may use what `byte-text.ts` exports, as `bytes`. */
  readonly gets: string;
}
