/** The checks, in the order in which they are printed. A new one is a file in `checks/`, its test, and a row here. */
import type { Check } from "./check.ts";
import { assertionsCheck } from "./checks/assertions.ts";
import { budgetsCheck } from "./checks/budgets.ts";
import { contractsCheck } from "./checks/contracts.ts";
import { cyclesCheck } from "./checks/cycles.ts";
import { dependenciesCheck } from "./checks/dependencies.ts";
import { docstringsCheck } from "./checks/docstrings.ts";
import { layersCheck } from "./checks/layers.ts";
import { leftoversCheck } from "./checks/leftovers.ts";
import { licencesCheck } from "./checks/licences.ts";
import { lockfileCheck } from "./checks/lockfile.ts";
import { missionCheck } from "./checks/mission.ts";
import { platformCheck } from "./checks/platform.ts";
import { buildCheck, lintCheck, typesCheck } from "./checks/programs.ts";
import { syntaxCheck } from "./checks/syntax.ts";
import { wireCheck } from "./checks/wire.ts";

/** Checks that read and run nothing of the product. */
export const staticChecks: readonly Check[] = [
  lintCheck,
  typesCheck,
  syntaxCheck,
  layersCheck,
  platformCheck,
  cyclesCheck,
  budgetsCheck,
  contractsCheck,
  assertionsCheck,
  leftoversCheck,
  docstringsCheck,
  dependenciesCheck,
  lockfileCheck,
  licencesCheck,
  missionCheck,
  wireCheck,
];

/** What the product's tests run on. */
export const builds: readonly Check[] = [buildCheck];
