/** The simulator in the test run: two thousand worlds in two files. Longer campaigns: `npm run sim -- --seeds 100000`. */
import { thousandWorlds } from "./thousand.ts";

thousandWorlds(1);
