/** The inspector over a driver: requests with its token, and live connections. */
import type { AnyActorDefinition } from "../../src/actor/definition.ts";
import { accessRequest } from "../../src/gateway/access-request.ts";
import { type MemoryLink, memoryLinks } from "../../src/ports/memory/transport.ts";
import { Driver, type DriverOptions } from "../driver/driver.ts";

export const TOKEN = "look-but-no-further";

export interface Answered {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: a test says by its expectations what is there
  readonly body: any;
  /** `group.code` of an error. */
  readonly code: string;
}

/** A driver whose inspector is on. */
export async function inspected<U extends Readonly<Record<string, AnyActorDefinition>>>(
  use: U,
  options: DriverOptions & { readonly write?: boolean } = {},
): Promise<Driver<U>> {
  const { write = false, ...rest } = options;
  return await Driver.start(use, { ...rest, inspector: { token: TOKEN, write } });
}

/** A driver, whatever its actors are. */
export type AnyDriver = Pick<
  Driver<Readonly<Record<string, AnyActorDefinition>>>,
  "http" | "world" | "runtime"
>;

export async function look(driver: AnyDriver, path: string, body?: unknown): Promise<Answered> {
  const method = body === undefined ? "GET" : "POST";
  const headers = { authorization: `Bearer ${TOKEN}` };
  const { status, text, code = "" } = await driver.http(method, `/inspector${path}`, body, headers);
  return { status, body: text.startsWith("{") ? JSON.parse(text) : text, code };
}

/** A live connection that keeps what it is told. */
export class Live {
  // biome-ignore lint/suspicious/noExplicitAny: as above
  readonly told: any[] = [];
  readonly link: MemoryLink;
  readonly far: MemoryLink;
  closed: { readonly code: number; readonly reason: string } | undefined;

  constructor(driver: AnyDriver, actorId: string) {
    const [near, far] = memoryLinks(driver.world);
    this.link = near;
    this.far = far;
    near.attach({
      message: (data) => void this.told.push(JSON.parse(String(data))),
      closed: (code, reason) => {
        this.closed = { code, reason };
      },
    });
    const { gateway } = driver.runtime;
    const url = `/inspector/actors/${actorId}/live`;
    const header = (name: string) => (name === "authorization" ? `Bearer ${TOKEN}` : undefined);
    gateway.socket(far, gateway.upgradeRoute(url, accessRequest({ method: "GET", url, header })), undefined);
  }

  get kinds(): string[] {
    return this.told.map(({ kind }) => kind);
  }

  // biome-ignore lint/suspicious/noExplicitAny: as above
  last(kind: string): any {
    return this.told.findLast((event) => event.kind === kind);
  }
}
