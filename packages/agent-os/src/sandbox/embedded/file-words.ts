/** File words: what a shell says of an error of the file system, whose message begins with its code: "ENOSPC: …". */

/** What isn't among them, a limit for instance, is no error of the file system's to a command. */
export const FILE_WORDS: Readonly<Record<string, string>> = {
  EACCES: "Permission denied",
  EEXIST: "File exists",
  EINVAL: "Invalid argument",
  EISDIR: "Is a directory",
  ELOOP: "Too many levels of symbolic links",
  ENAMETOOLONG: "File name too long",
  ENOENT: "No such file or directory",
  ENOSPC: "No space left on device",
  ENOTDIR: "Not a directory",
  ENOTEMPTY: "Directory not empty",
  ENXIO: "No such device or address",
  EPERM: "Operation not permitted",
  EROFS: "Read-only file system",
};

/** A line of a command that ends with such a message: just-bash's commands print it as it is, and put `<path>` in its paths' place. */
const PRINTED = /: (E[A-Z]+): [^\n]*$/gm;

/** The same lines as other programs have them: with the words alone. What a line is about stands before. */
export function inWords(printed: string): string {
  return printed.replace(PRINTED, (line, code: string) => {
    const words = FILE_WORDS[code];
    return words === undefined ? line : `: ${words}`;
  });
}
