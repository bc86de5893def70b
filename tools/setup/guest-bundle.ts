/** Builds the program of isolates before any test runs. */
import { buildGuest } from "../guest-bundle.ts";

/** Called by vitest, once. */
export default buildGuest;
