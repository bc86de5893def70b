/** Every TypeScript file parses: what does not is empty to the other checks, which would then pass it. */
import type { Check } from "../check.ts";

export const syntaxCheck: Check = {
  name: "syntax",
  remedy: "Mend the file; `npm run types` says more.",
  find: (repository) =>
    repository
      .modules()
      .flatMap(({ path, broken }) =>
        broken === undefined ? [] : [{ at: path, message: `does not parse: ${broken}` }],
      ),
};
