/** What the source of one dynamic actor asks of its host: each question goes to whoever serves what its program granted. */
import { HostAsk } from "@troupe/protocol/plugin/v1";
import type { RelayHost } from "../activation/relay-host.ts";
import { hostErrors } from "../session/host-errors.ts";
import type { HostQuestion, PluginHost } from "../session/host-questions.ts";
import type { FetchHost } from "./fetch-host.ts";
import type { FileHost } from "./files/file-host.ts";

/** One activation's. */
export class SourceHost implements PluginHost {
  readonly #fetches: FetchHost;
  readonly #files: FileHost;
  readonly #events: RelayHost | undefined;

  /** `events`: absent where it may say nothing, or there is no relay. */
  constructor(fetches: FetchHost, files: FileHost, events: RelayHost | undefined) {
    this.#fetches = fetches;
    this.#files = files;
    this.#events = events;
  }

  began(): void {}

  over(): void {}

  answer(question: HostQuestion): unknown {
    switch (question.ask) {
      case HostAsk.FETCH:
      case HostAsk.ABORT_FETCH:
        return this.#fetches.answer(question);
      case HostAsk.FILE:
        return this.#files.answer(question);
      case HostAsk.MARK:
      case HostAsk.METRIC:
        if (this.#events === undefined) throw hostErrors.noRelay();
        return this.#events.answer(question);
      default:
        throw hostErrors.askUnknown(question.ask);
    }
  }

  end(): void {
    this.#fetches.end();
    this.#files.end();
    this.#events?.end();
  }
}
