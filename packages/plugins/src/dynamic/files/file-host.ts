/**
 * Granted folders of one dynamic actor's source, at the host's end. The isolate's process opens no file: what is asked for is done here, on
 * the platform's threads for files.
 *
 * The end of the activation ends what waits for its turn. What the disk is working at goes on, and nobody hears of it.
 */
import { limits } from "@troupe/protocol";
import { hostErrors } from "../../session/host-errors.ts";
import type { HostQuestion } from "../../session/host-questions.ts";
import {
  listPlace,
  makePlace,
  type RemoveWhat,
  readPlace,
  removePlace,
  renamePlace,
  statPlace,
  type WriteHow,
  writePlace,
} from "./file-acts.ts";
import type { FileGrant } from "./file-grants.ts";
import type { FileTurns } from "./file-turns.ts";
import { placeOf, writablePlaceOf } from "./granted-place.ts";

type Asked = ReadonlyMap<string, unknown>;

/** One activation's. */
export class FileHost {
  readonly #grants: readonly FileGrant[];
  readonly #turns: FileTurns;
  #open = 0;
  #over = false;

  constructor(grants: readonly FileGrant[], turns: FileTurns) {
    this.#grants = grants;
    this.#turns = turns;
  }

  answer({ input }: HostQuestion): unknown {
    if (this.#open >= limits.isolateFileCalls) throw hostErrors.tooMany("files", limits.isolateFileCalls);
    return this.#turn(new Map(Object.entries(Object(input))));
  }

  end(): void {
    this.#over = true;
  }

  async #turn(asked: Asked): Promise<unknown> {
    this.#open += 1;
    try {
      return await this.#turns.take(async () => (this.#over ? null : ((await this.#act(asked)) ?? null)));
    } finally {
      this.#open -= 1;
    }
  }

  async #act(asked: Asked): Promise<unknown> {
    const path = asked.get("path");
    switch (asked.get("act")) {
      case "read":
        return await readPlace(placeOf(path, this.#grants));
      case "list":
        return await listPlace(placeOf(path, this.#grants));
      case "stat":
        return await this.#stat(path, asked.get("writable") === true);
      case "write":
        return await writePlace(writablePlaceOf(path, this.#grants), dataOf(asked), howOf(asked));
      case "make":
        return await makePlace(writablePlaceOf(path, this.#grants), asked.get("recursive") === true);
      case "remove":
        return await removePlace(
          writablePlaceOf(path, this.#grants),
          whatOf(asked),
          asked.get("missing") === true,
        );
      case "rename":
        return await renamePlace(
          writablePlaceOf(path, this.#grants),
          writablePlaceOf(asked.get("to"), this.#grants),
        );
      default:
        throw hostErrors.askInvalid("act", "what can be done with files");
    }
  }

  /** What isn't there is that, also where nothing may be written. */
  async #stat(path: unknown, writable: boolean): Promise<unknown> {
    const stat = await statPlace(placeOf(path, this.#grants));
    if (writable) writablePlaceOf(path, this.#grants);
    return stat;
  }
}

function dataOf(asked: Asked): Uint8Array {
  const data = asked.get("data");
  if (data instanceof Uint8Array) return data;
  throw hostErrors.askInvalid("data", "bytes");
}

function howOf(asked: Asked): WriteHow {
  const how = asked.get("how");
  if (how === "replace" || how === "append" || how === "create") return how;
  throw hostErrors.askInvalid("how", '"replace", "append" or "create"');
}

function whatOf(asked: Asked): RemoveWhat {
  const what = asked.get("what");
  if (what === "file" || what === "folder" || what === "all") return what;
  throw hostErrors.askInvalid("what", '"file", "folder" or "all"');
}
