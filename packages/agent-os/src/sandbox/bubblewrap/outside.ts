/**
 * Outside: what a sandbox's proxy asks for, handed on to the one way out, which decides. Without one nothing is answered but a refusal.
 */
import { limits } from "@troupe/protocol";
import { networkErrors } from "@troupe/runtime/egress";
import { textOf } from "../../errors.ts";
import type { SandboxNetwork } from "../network.ts";
import type { Link } from "./inside/link.ts";
import type { FromSupervisor, ToSupervisor } from "./inside/messages.ts";
import { joined } from "./inside/proxy.ts";

/** A question of the proxy. */
export type OutsideQuestion = Extract<FromSupervisor, { readonly type: "fetch" | "tunnel" }>;

/** The way out of one container. */
export class Outside {
  readonly #network: SandboxNetwork | undefined;
  readonly #link: Link;
  readonly #closing = new AbortController();
  #underWay = 0;

  constructor(network: SandboxNetwork | undefined, link: Link) {
    this.#network = network;
    this.#link = link;
  }

  /** A request or a tunnel; answered on the link. */
  asked(question: OutsideQuestion, body: Uint8Array): void {
    if (this.#underWay >= limits.sandboxRequests) {
      this.#refuse(question.id, `${limits.sandboxRequests} requests are under way`);
      return;
    }
    this.#underWay += 1;
    const answered = question.type === "fetch" ? this.#fetch(question, body) : this.#tunnel(question);
    void answered
      .catch((cause: unknown) => this.#refuse(question.id, textOf(cause)))
      .finally(() => {
        this.#underWay -= 1;
      });
  }

  /** What is under way is cut off. */
  close(): void {
    this.#closing.abort(networkErrors.closed());
  }

  async #fetch(question: OutsideQuestion & { type: "fetch" }, body: Uint8Array): Promise<void> {
    const { id, url, method, headers } = question;
    const request = {
      url,
      method,
      headers,
      body: body.byteLength === 0 ? undefined : body,
      followRedirects: false,
      timeoutMs: undefined,
    };
    const answer = await this.#way(url).fetch(request, this.#closing.signal);
    const { status, statusText, headers: answered } = answer;
    this.#send({ type: "fetched", id, status, statusText, headers: answered }, answer.body);
  }

  /** Settles when the tunnel has ended. */
  async #tunnel({ id, host, port }: OutsideQuestion & { type: "tunnel" }): Promise<void> {
    const way = this.#way(host);
    if (way.isHttp(host, port)) return this.#send({ type: "plain", id });
    const socket = await way.connect(host, port, this.#closing.signal);
    const channel = this.#link.accept(id);
    const closed = new Promise((resolve) => channel.on("close", resolve));
    this.#send({ type: "opened", id });
    joined(channel, socket);
    await closed;
  }

  #way(target: string): SandboxNetwork {
    if (this.#network === undefined) throw networkErrors.denied(target, "there is no network");
    return this.#network;
  }

  #refuse(id: number, why: string): void {
    this.#send({ type: "refused", id, why });
  }

  #send(message: ToSupervisor, body?: Uint8Array): void {
    this.#link.send(message, body);
  }
}
