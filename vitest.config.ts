import { defineConfig } from "vitest/config";
import { environmentOf, findProgram, neededPrograms } from "./tools/setup/programs.ts";

// `npm test` says what it found or why not; a bare `vitest` looks for itself.
const unsaid = neededPrograms.filter((program) => process.env[program.variable] === undefined);

export default defineConfig({
  resolve: { conditions: ["troupe-source"] },
  ssr: { resolve: { conditions: ["troupe-source", "node", "import", "default"] } },
  test: {
    include: ["{packages/*/test,sim,conformance,tools,test}/**/*.test.ts"],
    env: environmentOf(unsaid.map((program) => findProgram(program, process.env))),
    pool: "forks",
    // Two cores: a third worker would only make tests that measure time uneven.
    maxWorkers: 2,
    testTimeout: 20_000,
  },
});
