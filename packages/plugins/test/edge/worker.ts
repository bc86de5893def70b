/** A worker whose actors are modules of WebAssembly, which workerd compiles before it runs. */
import { pluginActor } from "@troupe/plugins/edge";
import { startHost } from "@troupe/runtime/edge";
import counter from "./counter.wasm";
import faulty from "./faulty.wasm";
import keeper from "./keeper.wasm";

const use = {
  counter: pluginActor({ wasm: counter, options: { sleepTimeout: 100 } }),
  faulty: pluginActor({ wasm: faulty }),
  keeper: pluginActor({ wasm: keeper, needs: ["actors", "database"] }),
  lonely: pluginActor({ wasm: keeper }),
};

interface Bindings {
  readonly ENGINE: string;
  readonly TOKEN: string;
}

export default {
  fetch(_request: Request, { ENGINE, TOKEN }: Bindings): Response {
    return startHost({ use, endpoint: ENGINE, token: TOKEN }).response();
  },
};
