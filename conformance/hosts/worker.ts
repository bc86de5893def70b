/** The kit's actors in workerd. */
import { startHost } from "@troupe/runtime/edge";
import { actors } from "./actors.ts";

export default {
  fetch(_request: Request, { ENGINE, TOKEN }: { readonly ENGINE: string; readonly TOKEN: string }): Response {
    return startHost({ use: actors, endpoint: ENGINE, token: TOKEN }).response();
  },
};
