/** `npm test`: what CI runs. As `npm run verify`, but what tests need is installed where that is possible. */
import { fileURLToPath } from "node:url";
import { enter } from "./front-door.ts";
import { type FoundProgram, neededPrograms, provideProgram } from "./setup/programs.ts";

process.exitCode = await enter({
  show: true,
  root: fileURLToPath(new URL("..", import.meta.url)),
  // One after the other: apt takes one caller at a time.
  programs: async () => {
    const found: FoundProgram[] = [];
    for (const program of neededPrograms) found.push(await provideProgram(program, process.env));
    return found;
  },
});
