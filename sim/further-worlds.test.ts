import { thousandWorlds } from "./thousand.ts";

thousandWorlds(1_001);
