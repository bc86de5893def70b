/** Find command: just-bash's `find` looks at all before it removes anything. Where it removes what is empty, what became so by that is removed as well. */
import type { Bash } from "just-bash";
import { amendCommand } from "./corrected-command.ts";

/** Makes `find -empty -delete` remove directories in which it left nothing. */
export function correctFind(bash: Bash): void {
  amendCommand(bash, "find", (execute) => async (args, context) => {
    if (!args.includes("-empty") || !args.includes("-delete")) return await execute(args, context);
    const { fs } = context;
    let before = fs.getAllPaths().length;
    let all = await execute(args, context);
    for (let left = fs.getAllPaths().length; left < before && all.exitCode === 0; ) {
      before = left;
      const next = await execute(args, context);
      // It says that what it began with is gone.
      if (next.exitCode !== 0) break;
      all = { ...all, stdout: all.stdout + next.stdout };
      left = fs.getAllPaths().length;
    }
    return all;
  });
}
