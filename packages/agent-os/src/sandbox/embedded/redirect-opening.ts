/**
 * Redirect opening: just-bash opens the file of a redirect and, where the file system says no, rejects the whole script: no exit code, what
 * was printed is lost, and nothing behind it is run. In a shell it is the one command that fails. just-bash has no option for it and no
 * class of error that it would take so: a few words of its text are others when it is imported. They are those of the one version that
 * this package takes; a story tells when a version has others.
 */
import { registerHooks } from "node:module";

/** Where it is opened, as just-bash 3.4.2 has it: `i` is the path, `t` the word in the script, `a` what was thrown. */
const OPENS = `try{n?await e.fs.appendFile(i,"","binary"):await e.fs.writeFile(i,"","binary")}catch(a){if(!s)throw a;return{error:L("",\`bash: \${t}: cannot open redirect target
\`,1)}}`;

/** What a shell says of an error of the file system. What isn't among them, a limit for instance, still ends the script. */
const SAYS = {
  EACCES: "Permission denied",
  EINVAL: "Invalid argument",
  EISDIR: "Is a directory",
  ELOOP: "Too many levels of symbolic links",
  ENAMETOOLONG: "File name too long",
  ENOENT: "No such file or directory",
  ENOSPC: "No space left on device",
  ENOTDIR: "Not a directory",
  EPERM: "Operation not permitted",
  EROFS: "Read-only file system",
};

const OPENS_OR_SAYS = `try{n?await e.fs.appendFile(i,"","binary"):await e.fs.writeFile(i,"","binary")}catch(a){let w=${JSON.stringify(SAYS)}[/^E[A-Z]+/.exec(a?.message)?.[0]];if(w===void 0)throw a;return{error:L("",\`bash: \${t}: \${w}
\`,1)}}`;

const BUNDLE = /\/just-bash\/dist\/bundle\/index\.js$/;

/** Imports just-bash so that a redirect which can't be opened is the failure of its command. */
export async function importJustBash(): Promise<typeof import("just-bash")> {
  const hooks = registerHooks({
    load(url, context, next) {
      const loaded = next(url, context);
      if (!BUNDLE.test(url) || loaded.source == null) return loaded;
      const text =
        typeof loaded.source === "string" ? loaded.source : new TextDecoder().decode(loaded.source);
      return { ...loaded, source: text.replace(OPENS, () => OPENS_OR_SAYS) };
    },
  });
  try {
    return await import("just-bash");
  } finally {
    hooks.deregister();
  }
}
