/** `npm test`: what CI runs. As `npm run verify`, but what tests need is installed where that is possible. */
import { fileURLToPath } from "node:url";
import { enter } from "./front-door.ts";
import { neededPrograms, provideProgram } from "./setup/programs.ts";

process.exitCode = await enter({
  show: true,
  root: fileURLToPath(new URL("..", import.meta.url)),
  programs: () =>
    Promise.all(neededPrograms.map((program) => provideProgram(program, process.env, console.log))),
});
