/** `npm run verify`: every check, the build and the tests, with what the machine has. */
import { fileURLToPath } from "node:url";
import { enter } from "./front-door.ts";
import { findProgram, neededPrograms } from "./setup/programs.ts";

process.exitCode = await enter({
  show: false,
  root: fileURLToPath(new URL("..", import.meta.url)),
  programs: () => Promise.resolve(neededPrograms.map((program) => findProgram(program, process.env))),
});
