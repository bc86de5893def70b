/**
 * Inspector: how people look into actors, behind the gateway's door.
 *
 *   GET  /inspector/actors?namespace=&name=&key=&prefix=&phase=&limit=&after=   who there is
 *   GET  /inspector/actors/{id}                               one, and why it is awake
 *   GET  /inspector/actors/{id}/{section}                     state, kv, schedules …, connections, calls
 *   GET  /inspector/actors/{id}/schema, …/tables/{table}      its database
 *   POST /inspector/actors/{id}/sql                           `{ sql, params }`; with `write: true` it may write
 *   GET  /inspector/actors/{id}/live                          a WebSocket: `live-session.ts`
 *   POST /inspector/actors/{id}/action/{name}, …/state, …/schedules/{id}/{fire,cancel}, …/wake, …/sleep, …/destroy
 *   GET  /inspector/plugins                                   plugins of the program, and how they are
 *   GET  /inspector/metrics, /inspector/ui
 *
 * Each shows the token, but for the page: there is nothing in it. It is never taken from the address, which stands in
 * logs and histories. The inspector is a reader that isn't the actor: what it shows has passed the gate.
 */
import type { Env } from "@troupe/base";
import { limits } from "@troupe/protocol";
import { gatewayErrors } from "../errors.ts";
import { Access, type AccessRequest } from "../gateway/access.ts";
import { accessRequest } from "../gateway/access-request.ts";
import type { GatewayRequest, GatewayResponse } from "../gateway/http-message.ts";
import type { InspectorDoor, InspectorRoute } from "../gateway/inspector-door.ts";
import type { GatewayServices, Session } from "../gateway/services.ts";
import type { PluginSet } from "../ports/plugin-set.ts";
import type { Link } from "../ports/transport.ts";
import { ActorReader, type ActorReaderParts } from "./actor-reader.ts";
import { ActorView, type ActorViewParts } from "./actor-view.ts";
import type { InspectorSettings } from "./config.ts";
import { inspectorErrors } from "./errors.ts";
import { LiveSession } from "./live-session.ts";
import type { Recorders } from "./recorder.ts";
import {
  type InspectorRequest,
  jsonAnswer,
  listField,
  paramsField,
  parseRequest,
  parseUrl,
  recordField,
  textField,
} from "./request.ts";
import { sections } from "./sections.ts";
import { readSize } from "./size.ts";
import { readSchema, readSql, readTable } from "./tables.ts";
import { Writes } from "./writes.ts";

/** What an inspector is made of. */
export interface InspectorParts extends ActorReaderParts, Omit<ActorViewParts, "reader"> {
  readonly env: Env;
  readonly recorders: Recorders;
  readonly settings: InspectorSettings;
  readonly plugins: PluginSet | undefined;
}

/** The sections that aren't rows, beside those of `sections.ts`. */
const MORE_SECTIONS = ["connections", "calls", "schema", "size"];

/** The page's own answers are the API's: nothing else is loaded. */
const PAGE_HEADERS = {
  "content-type": "text/html; charset=utf-8",
  "cache-control": "no-store",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
};

/** The inspector of one runtime. */
export class Inspector implements InspectorDoor {
  readonly #parts: InspectorParts;
  readonly #access: Access;
  readonly #reader: ActorReader;
  readonly #view: ActorView;
  readonly #writes: Writes;
  #watching = 0;

  constructor(parts: InspectorParts) {
    this.#parts = parts;
    this.#access = new Access({ token: parts.settings.token }, parts.env.crypto);
    this.#reader = new ActorReader(parts);
    this.#view = new ActorView({ ...parts, reader: this.#reader });
    this.#writes = new Writes(parts.host, parts.env);
  }

  get page(): "page" | undefined {
    return this.#parts.settings.page === undefined ? undefined : "page";
  }

  async answer(request: GatewayRequest, metrics: () => string): Promise<GatewayResponse> {
    const { page } = this.#parts.settings;
    const { path } = parseUrl(request.url);
    if (path[0] === "ui" && path.length === 1 && page !== undefined)
      return { status: 200, headers: PAGE_HEADERS, body: page };
    this.#access.checkToken(accessRequest(request));
    const asked = parseRequest(request);
    if (asked.path[0] === "metrics" && asked.path.length === 1)
      return { status: 200, headers: { "content-type": "text/plain; charset=utf-8" }, body: metrics() };
    if (asked.path[0] === "plugins" && asked.path.length === 1)
      return jsonAnswer({ plugins: this.#parts.plugins?.view?.() ?? [] });
    if (asked.path[0] !== "actors") throw gatewayErrors.notFound(request.url.split("?")[0] ?? "");
    return jsonAnswer(asked.method === "GET" ? await this.#get(asked) : await this.#post(asked));
  }

  socketRoute(url: string, request: AccessRequest): InspectorRoute {
    this.#access.checkToken(request);
    const { path } = parseUrl(url);
    const [actors, actorId, live] = path;
    if (actors !== "actors" || actorId === undefined || live !== "live" || path.length !== 3)
      throw gatewayErrors.notFound(url.split("?")[0] ?? "");
    if (this.#watching >= limits.inspectorWatchers)
      throw inspectorErrors.tooManyWatchers(limits.inspectorWatchers);
    return { kind: "inspector", actorId };
  }

  session(link: Link, { actorId }: InspectorRoute, services: GatewayServices): Session {
    this.#watching += 1;
    const source = {
      recorder: async () => this.#parts.recorders.of(await this.#reader.record(actorId)),
      overview: async () => ({
        ...(await this.#overview(actorId)),
        connections: this.#view.connections(actorId),
      }),
      data: async () => ({ ...(await this.#section(actorId, "state")), calls: this.#calls(actorId) }),
      ended: () => {
        this.#watching -= 1;
      },
    };
    return new LiveSession(link, source, services);
  }

  async #get({ path, page, ...query }: InspectorRequest): Promise<unknown> {
    const [, id, section, item] = path;
    if (id === undefined || id === "") return await this.#view.list({ ...page, ...query });
    if (section === undefined) return await this.#overview(id);
    if (item === undefined) return await this.#section(id, section, page);
    if (section === "tables") return await this.#reader.read(id, (store) => readTable(store, item, page));
    throw gatewayErrors.notFound(`/inspector/${path.join("/")}`);
  }

  async #overview(id: string): Promise<Readonly<Record<string, unknown>>> {
    const { write } = this.#parts.settings;
    return { ...(await this.#view.overview(await this.#reader.record(id))), write };
  }

  async #section(
    id: string,
    name: string,
    page: InspectorRequest["page"] = { limit: limits.inspectorPage, after: undefined, prefix: undefined },
  ): Promise<object> {
    await this.#reader.record(id);
    if (name === "connections") return { connections: this.#view.connections(id) };
    if (name === "calls") return { calls: this.#calls(id) };
    if (name === "schema") return await this.#reader.read(id, readSchema);
    if (name === "size") return await this.#reader.read(id, readSize);
    const section = sections.find((one) => one.name === name);
    if (section === undefined)
      throw inspectorErrors.unknownSection(name, [...sections.map((one) => one.name), ...MORE_SECTIONS]);
    return await this.#reader.read(id, (store) => section.read(store, page));
  }

  #calls(id: string): readonly object[] {
    return this.#parts.recorders.get(id)?.calls ?? [];
  }

  async #post({ path, body }: InspectorRequest): Promise<unknown> {
    const [, id = "", verb = "", item, act] = path;
    await this.#reader.record(id);
    if (verb === "sql" && item === undefined && body["write"] !== true) {
      const sql = textField(body, "sql");
      return await this.#reader.read(id, (store) => readSql(store, sql, paramsField(body)));
    }
    if (!this.#parts.settings.write) throw inspectorErrors.readOnly();
    switch (`${verb}${item === undefined ? "" : "/*"}${act === undefined ? "" : `/${act}`}`) {
      case "sql":
        return await this.#writes.sql(id, textField(body, "sql"), paramsField(body));
      case "state": {
        const remove = listField(body, "remove").filter((name) => typeof name === "string");
        await this.#writes.setState(id, recordField(body, "set"), remove);
        return {};
      }
      case "action/*": {
        const args = listField(body, "args");
        return { output: await this.#writes.action(id, item ?? "", args, body["params"]) };
      }
      case "schedules/*/fire":
        return { id: (await this.#writes.fire(id, item ?? "")) ?? null };
      case "schedules/*/cancel":
        return { cancelled: await this.#writes.cancel(id, item ?? "") };
      case "wake":
        await this.#writes.wake(id);
        return {};
      case "sleep":
        await this.#writes.sleep(id);
        return {};
      case "destroy":
        await this.#writes.destroy(id);
        return {};
      default:
        throw gatewayErrors.notFound(`/inspector/${path.join("/")}`);
    }
  }
}
