/** The client of a program whose actors are an engine's: its calls go where the actors are. */
import { type Client, createClient, type Registry } from "@troupe/client";

/** What `registry.client` takes. */
export interface RegistryClientOptions {
  /** The name of the namespace whose actors it sees. Default: the default one; on a host its own. */
  readonly namespace?: string;
  /** What an engine elsewhere asks of its clients. Without an effect where the actors are here. */
  readonly token?: string;
}

/** An engine, as its clients know it. */
export interface ClientEngine {
  readonly endpoint: string;
  readonly namespace?: string | undefined;
  readonly token?: string | undefined;
}

/** A client of an engine elsewhere. Throws `client.bad_endpoint`. */
export function engineClient<R extends Registry>(
  engine: ClientEngine,
  { namespace = engine.namespace, token = engine.token }: RegistryClientOptions,
): Client<R> {
  return createClient<R>({
    endpoint: engine.endpoint,
    // As it would be here: values of every type, none of them looked at twice.
    encoding: "cbor",
    ...(namespace === undefined ? {} : { namespace }),
    ...(token === undefined ? {} : { token }),
  });
}
