/**
 * Shell text: where the file system says no while a redirect's file is opened, or while something is written there, just-bash rejects the
 * whole script: no exit code, what was printed is lost, and nothing behind it is run. In a shell it is the one command that fails. just-bash
 * has no option for it and no class of error that it would take so: a few words of its text are others when it is imported. They are those of
 * the one version that this package takes; stories tell when a version has others.
 */
import { registerHooks } from "node:module";
import { FILE_WORDS } from "./file-words.ts";

/** The words for what was thrown, `a`. */
const WORDS = `${JSON.stringify(FILE_WORDS)}[/^(E[A-Z]+):/.exec(a?.message)?.[1]]`;

/** What just-bash 3.4.2 has, and what it is to have. */
const texts = [
  {
    // A redirect is opened: `i` is the path, `t` the word in the script.
    has: `try{n?await e.fs.appendFile(i,"","binary"):await e.fs.writeFile(i,"","binary")}catch(a){if(!s)throw a;return{error:L("",\`bash: \${t}: cannot open redirect target
\`,1)}}`,
    gets: `try{n?await e.fs.appendFile(i,"","binary"):await e.fs.writeFile(i,"","binary")}catch(a){let w=${WORDS};if(w===void 0)throw a;return{error:L("",\`bash: \${t}: \${w}
\`,1)}}`,
  },
  {
    // A command, `t`, is run, and what it prints is written.
    has: "try{i=await this.executeCommandInner(t,n,r)}catch(a){throw await qi(this.ctx,s).catch(()=>{}),a}",
    gets: `try{i=await this.executeCommandInner(t,n,r)}catch(a){let w=${WORDS};if(w===void 0)throw await qi(this.ctx,s).catch(()=>{}),a;i=L("",\`\${t.name?.parts?.[0]?.value??"bash"}: \${w}
\`,1)}`,
  },
] as const;

const BUNDLE = /\/just-bash\/dist\/bundle\/index\.js$/;

/** Imports just-bash so that a redirect which can't be opened, or written to, is the failure of its command. */
export async function importJustBash(): Promise<typeof import("just-bash")> {
  const hooks = registerHooks({
    load(url, context, next) {
      const loaded = next(url, context);
      if (!BUNDLE.test(url) || loaded.source == null) return loaded;
      const text =
        typeof loaded.source === "string" ? loaded.source : new TextDecoder().decode(loaded.source);
      const source = texts.reduce((before, { has, gets }) => before.replace(has, () => gets), text);
      return { ...loaded, source };
    },
  });
  try {
    return await import("just-bash");
  } finally {
    hooks.deregister();
  }
}
