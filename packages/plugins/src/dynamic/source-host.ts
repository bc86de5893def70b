/** What the source of one dynamic actor asks of its host: each question goes to whoever serves what its program granted. */
import { HostAsk } from "@troupe/protocol/plugin/v1";
import type { RelayHost } from "../activation/relay-host.ts";
import { hostErrors } from "../session/host-errors.ts";
import type { HostQuestion, PluginHost } from "../session/host-questions.ts";
import { ToldScopes } from "../session/told-scopes.ts";
import type { FetchHost } from "./fetch-host.ts";
import type { FileHost } from "./files/file-host.ts";

/** One activation's. */
export class SourceHost implements PluginHost {
  readonly scopes: ToldScopes;
  readonly #fetches: FetchHost;
  readonly #files: FileHost;
  readonly #relay: RelayHost | undefined;

  /** `relay`: absent where it may ask it for nothing, or there is none. */
  constructor(fetches: FetchHost, files: FileHost, relay: RelayHost | undefined) {
    this.#fetches = fetches;
    this.#files = files;
    this.#relay = relay;
    this.scopes = relay?.scopes ?? new ToldScopes();
  }

  began(invoke: number, scope: string): void {
    this.#relay?.began(invoke, scope);
  }

  over(invoke: number): void {
    this.#relay?.over(invoke);
  }

  answer(question: HostQuestion): unknown {
    switch (question.ask) {
      case HostAsk.FETCH:
      case HostAsk.ABORT_FETCH:
        return this.#fetches.answer(question);
      case HostAsk.FILE:
        return this.#files.answer(question);
      case HostAsk.MARK:
      case HostAsk.METRIC:
      case HostAsk.TOOL:
      case HostAsk.LLM:
      case HostAsk.ABORT_CALL:
      case HostAsk.LLM_STREAM:
      case HostAsk.READ_STREAM:
        if (this.#relay === undefined) throw hostErrors.noRelay();
        return this.#relay.answer(question);
      default:
        throw hostErrors.askUnknown(question.ask);
    }
  }

  end(): void {
    this.#fetches.end();
    this.#files.end();
    this.#relay?.end();
  }
}
