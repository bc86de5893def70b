/** A `fetch` that holds each request until the test answers it. */
import { assert } from "@troupe/base";
import { type Bodies, decodeBody, encodeBody } from "@troupe/protocol";
import type { FetchAnswer, FetchInit } from "../../src/env.ts";
import { settled } from "./world.ts";

export class HeldRequest {
  readonly url: string;
  readonly init: FetchInit;
  readonly #resolve: (answer: FetchAnswer) => void;
  readonly #reject: (error: unknown) => void;

  constructor(
    url: string,
    init: FetchInit,
    resolve: (answer: FetchAnswer) => void,
    reject: (error: unknown) => void,
  ) {
    this.url = url;
    this.init = init;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  get body(): Bodies["action"] {
    return decodeBody("action", this.init.body, "json");
  }

  answer(status: number, body: Bodies["actionAnswer"] | Bodies["resolveAnswer"]): Promise<void> {
    return this.answerRaw(status, "application/json; charset=utf-8", String(encodeBody(body, "json")));
  }

  answerRaw(status: number, type: string, body: string): Promise<void> {
    const bytes = new TextEncoder().encode(body);
    this.#resolve({
      status,
      headers: new Headers({ "content-type": type }),
      arrayBuffer: async () => bytes.buffer,
    });
    return settled();
  }

  /** The headers came, the body broke off. */
  breakOff(): Promise<void> {
    const arrayBuffer = (): Promise<ArrayBuffer> => Promise.reject(new TypeError("terminated"));
    this.#resolve({ status: 200, headers: new Headers(), arrayBuffer });
    return settled();
  }

  /** Fails as Node's fetch does: a TypeError with the system's error as its cause. */
  fail(cause: object): Promise<void> {
    this.#reject(new TypeError("fetch failed", { cause }));
    return settled();
  }
}

export class HeldFetch {
  readonly requests: HeldRequest[] = [];

  readonly fetch = (url: string, init: FetchInit): Promise<FetchAnswer> =>
    new Promise((resolve, reject) => this.requests.push(new HeldRequest(url, init, resolve, reject)));

  /** The newest request. */
  async request(): Promise<HeldRequest> {
    await settled();
    const request = this.requests.at(-1);
    assert(request !== undefined, "no request was made");
    return request;
  }
}
