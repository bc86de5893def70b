/**
 * A collector of OpenTelemetry: OTLP over HTTP in JSON and protobuf, and over gRPC.
 *
 * What arrives is read with the messages that are generated from OpenTelemetry's own .proto files, not with what wrote
 * it. Both come out as the same plain objects: ids in hexadecimal, 64-bit numbers as texts.
 */
import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import {
  Server as GrpcServer,
  type Metadata,
  ServerCredentials,
  type UntypedHandleCall,
} from "@grpc/grpc-js";
import root from "otlp-messages/build/src/generated/root.js";

export interface Attribute {
  readonly key: string;
  readonly value: { readonly [type: string]: unknown };
}

export interface ReceivedSpan {
  readonly name: string;
  readonly kind: number;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly Attribute[];
  readonly events: readonly { readonly name: string; readonly attributes: readonly Attribute[] }[];
  readonly status: { readonly code?: number; readonly message?: string };
}

export interface ReceivedRecord {
  readonly eventName?: string;
  readonly severityNumber: number;
  readonly severityText: string;
  readonly body: { readonly stringValue: string };
  readonly traceId: string;
  readonly spanId: string;
  readonly attributes: readonly Attribute[];
}

export interface ReceivedMetric {
  readonly name: string;
  readonly unit: string;
  readonly [data: string]: unknown;
}

/** A generated message. Its package has no types for them. */
interface Message {
  decode(bytes: Uint8Array): object;
  toObject(message: object, options: object): Plain;
}

interface Services {
  readonly trace: { readonly v1: { readonly ExportTraceServiceRequest: Message } };
  readonly logs: { readonly v1: { readonly ExportLogsServiceRequest: Message } };
  readonly metrics: { readonly v1: { readonly ExportMetricsServiceRequest: Message } };
}

const services: Services = Reflect.get(root, "opentelemetry").proto.collector;
const signals = {
  traces: { message: services.trace.v1.ExportTraceServiceRequest, service: "trace.v1.TraceService" },
  logs: { message: services.logs.v1.ExportLogsServiceRequest, service: "logs.v1.LogsService" },
  metrics: { message: services.metrics.v1.ExportMetricsServiceRequest, service: "metrics.v1.MetricsService" },
};
type Signal = keyof typeof signals;

export class Collector {
  /** Everything as it came, as text: what must never be in it isn't. */
  readonly raw: string[] = [];
  readonly headers: IncomingHttpHeaders[] = [];
  readonly metadata: Metadata[] = [];
  readonly #requests: { readonly signal: Signal; readonly body: Plain }[] = [];
  readonly #http: Server = createServer();
  readonly #grpc = new GrpcServer();
  #grpcPort = 0;
  /** The status of all requests over HTTP. */
  status = 200;

  static async start(): Promise<Collector> {
    const collector = new Collector();
    await collector.#listen();
    return collector;
  }

  endpoint(transport: "http_json" | "http_binary" | "grpc", signal: Signal): string {
    if (transport === "grpc") return `http://127.0.0.1:${this.#grpcPort}`;
    const { port } = this.#http.address() as AddressInfo;
    return `http://127.0.0.1:${port}/v1/${signal}`;
  }

  get spans(): ReceivedSpan[] {
    return this.#found("traces", "resourceSpans", "scopeSpans", "spans") as ReceivedSpan[];
  }

  get records(): ReceivedRecord[] {
    return this.#found("logs", "resourceLogs", "scopeLogs", "logRecords") as ReceivedRecord[];
  }

  get metrics(): ReceivedMetric[] {
    return this.#found("metrics", "resourceMetrics", "scopeMetrics", "metrics") as ReceivedMetric[];
  }

  /** The attributes of the first resource that a signal came with. */
  resource(signal: Signal): Readonly<Record<string, unknown>> {
    const request = this.#requests.find((one) => one.signal === signal);
    const [first] = Object.values(request?.body ?? {}).flat();
    return attributesOf(Object(first).resource?.attributes ?? []);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#grpc.forceShutdown();
    this.#http.closeAllConnections();
    this.#http.close();
    await once(this.#http, "close");
  }

  async #listen(): Promise<void> {
    this.#http.on("request", async (request, response) => {
      this.headers.push(request.headers);
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk);
      const [, signal] = /^\/v1\/(traces|logs|metrics)$/.exec(request.url ?? "") ?? [];
      if (this.status === 200)
        this.#take(signal as Signal, Buffer.concat(chunks), request.headers["content-type"]);
      response.writeHead(this.status, { "content-type": request.headers["content-type"] }).end("{}");
    });
    this.#http.listen(0, "127.0.0.1");
    await once(this.#http, "listening");
    for (const [signal, { service }] of Object.entries(signals)) this.#serve(signal as Signal, service);
    this.#grpcPort = await new Promise((resolve, reject) =>
      this.#grpc.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) =>
        error === null ? resolve(port) : reject(error),
      ),
    );
  }

  #serve(signal: Signal, service: string): void {
    const handle: UntypedHandleCall = (call: Call, answer: (error: null, bytes: Buffer) => void) => {
      this.metadata.push(call.metadata);
      this.#take(signal, call.request, "application/x-protobuf");
      answer(null, Buffer.alloc(0));
    };
    const bytes = (value: Buffer): Buffer => value;
    const method = {
      path: `/opentelemetry.proto.collector.${service}/Export`,
      requestStream: false,
      responseStream: false,
      requestSerialize: bytes,
      requestDeserialize: bytes,
      responseSerialize: bytes,
      responseDeserialize: bytes,
    };
    this.#grpc.addService({ export: method }, { export: handle });
  }

  #take(signal: Signal, bytes: Buffer, type: string | undefined): void {
    const { message } = signals[signal];
    const body: Plain =
      type === "application/json"
        ? JSON.parse(bytes.toString())
        : message.toObject(message.decode(bytes), { longs: String, bytes: Array });
    const plain: Plain = JSON.parse(JSON.stringify(body, (key, value) => (isId(key) ? hex(value) : value)));
    this.raw.push(JSON.stringify(plain));
    this.#requests.push({ signal, body: plain });
  }

  #found(signal: Signal, ...path: readonly string[]): unknown[] {
    const bodies: unknown[] = this.#requests.filter((one) => one.signal === signal).map(({ body }) => body);
    return path.reduce((places, key) => places.flatMap((place) => Object(place)[key] ?? []), bodies);
  }
}

type Plain = { readonly [key: string]: unknown };

interface Call {
  readonly request: Buffer;
  readonly metadata: Metadata;
}

/** Attributes as a record. */
export function attributesOf(attributes: readonly Attribute[]): Readonly<Record<string, unknown>> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, plainValue(value)]));
}

function plainValue(value: Attribute["value"]): unknown {
  const [found] = Object.values(value);
  const list = Object(found).values;
  return Array.isArray(list)
    ? list.map(plainValue)
    : typeof found === "string" && "intValue" in value
      ? Number(found)
      : found;
}

function isId(key: string): boolean {
  return key === "traceId" || key === "spanId" || key === "parentSpanId";
}

function hex(value: unknown): unknown {
  return Array.isArray(value) ? Buffer.from(value).toString("hex") : value;
}
