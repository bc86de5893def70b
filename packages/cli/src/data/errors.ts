/** Errors of the commands on data folders that are not the runtime's. */
import { TroupeError } from "@troupe/base";

/** Throwables by their code. */
export const dataErrors = {
  ended: (signal: string) =>
    new TroupeError("backup", "ended", `The backup was ended by ${signal}: nothing of it stays`, {
      statusCode: 499,
    }),
};
