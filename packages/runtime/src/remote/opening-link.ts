/**
 * OpeningLink: a link that somebody has opened who wants to be a host, until it has said Hello.
 *
 *   waiting ──Hello──▶ handed over ──▶ a session's
 *      └── late, wrong token, another protocol, nonsense ──▶ refused
 */

import { type Env, type TimerHandle, TroupeError } from "@troupe/base";
import { engineLimits, limits } from "@troupe/protocol";
import { toCarriedError } from "@troupe/protocol/actor/v1";
import { EngineToHostCodec, type HostHello, HostToEngineCodec } from "@troupe/protocol/host/v1";
import { engineErrors } from "../engine/errors.ts";
import type { Link, LinkHandler, Message } from "../ports/transport.ts";
import { GONE } from "./close-codes.ts";
import { agree, type HostProtocol } from "./compatibility.ts";
import { remoteErrors } from "./errors.ts";

/** Closed because of what the other side did: RFC 6455, 7.4.1. */
const POLICY = 1008;
const MALFORMED = 1002;

/** What an opening link needs. */
export interface OpeningLinkParts {
  readonly env: Env;
  readonly link: Link;
  readonly protocol: HostProtocol;
  /** Throws when the token isn't right, or isn't for the host's place. */
  readonly check: (hello: HostHello) => void;
  /** Takes the link: it isn't this one's any more. Throws what refuses the host. */
  readonly taken: (hello: HostHello, version: number) => void;
  /** It is over, handed on or refused. */
  readonly ended: (opening: OpeningLink) => void;
}

/** Somebody who wants to be a host. */
export class OpeningLink implements LinkHandler {
  readonly #parts: OpeningLinkParts;
  readonly #watch: TimerHandle;
  #over = false;

  constructor(parts: OpeningLinkParts) {
    this.#parts = parts;
    const late = (): void => this.#refuse(engineErrors.noHello(limits.hostHelloMs));
    this.#watch = parts.env.timers.set(late, limits.hostHelloMs, { background: true });
    parts.link.attach(this);
  }

  message(data: Message): void {
    if (this.#over) return;
    try {
      const hello = helloOf(data);
      const { protocol, check, taken } = this.#parts;
      check(hello);
      const version = agree(protocol.versions, hello.versions);
      taken(hello, version);
      this.#end();
    } catch (cause) {
      this.#refuse(TroupeError.is(cause) ? cause : remoteErrors.malformed(String(cause)));
    }
  }

  closed(): void {
    this.#end();
  }

  /** The engine stops. */
  close(): void {
    this.#parts.link.close(GONE, "engine.stopping");
    this.#end();
  }

  /** Says why it isn't waited for any longer. */
  crowdedOut(): void {
    this.#refuse(engineErrors.tooManyOpening(engineLimits.hostsOpening));
  }

  #refuse(error: TroupeError): void {
    const { env, link } = this.#parts;
    env.log.warn("a remote host was refused", { error: `${error.group}.${error.code}`, why: error.message });
    refuse(link, error);
    this.#end();
  }

  #end(): void {
    if (this.#over) return;
    this.#over = true;
    this.#parts.env.timers.clear(this.#watch);
    this.#parts.ended(this);
  }
}

/** Says why, and closes. */
export function refuse(link: Link, error: TroupeError): void {
  const body = { $case: "refused" as const, value: { error: toCarriedError(error, "cbor") } };
  link.send(EngineToHostCodec.encode({ body }));
  const malformed = error.group === "protocol" && error.code === "malformed_frame";
  link.close(malformed ? MALFORMED : POLICY, `${error.group}.${error.code}`);
}

function helloOf(data: Message): HostHello {
  if (typeof data === "string") throw remoteErrors.malformed("text");
  const { body } = HostToEngineCodec.decode(data);
  if (body === undefined) throw remoteErrors.malformed("an empty message");
  if (body.$case !== "hello") throw remoteErrors.malformed(`${body.$case} before Hello`);
  if (body.value.versions.length === 0) throw remoteErrors.malformed("a Hello that names no version");
  return body.value;
}
