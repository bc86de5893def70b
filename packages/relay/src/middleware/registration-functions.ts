/**
 * The registration functions of all kinds by name, made from the table: `registerToolRequestIntercept`,
 * `deregisterToolRequestIntercept` and so on.
 */
import { checkReadable } from "../given.ts";
import type { Scope } from "../scope/scope.ts";
import { type MiddlewareKind, middlewareKindNames } from "./kinds.ts";
import type {
  MiddlewareHandler,
  Registration,
  RegistrationOptions,
  RegistrationRequest,
} from "./registration.ts";

type Pascal<S extends string> = S extends `${infer Word}_${infer Rest}`
  ? `${Capitalize<Word>}${Pascal<Rest>}`
  : Capitalize<S>;

/** Two functions for each kind: `registerSubscriber(name, handle, options?)`, `deregisterSubscriber(name)` and so on. */
export type RegistrationFunctions = {
  readonly [K in MiddlewareKind as `register${Pascal<K>}`]: (
    name: string,
    handle: MiddlewareHandler<K>,
    options?: RegistrationOptions,
  ) => Registration;
} & {
  /** False when it isn't there. Default place: everywhere. */
  readonly [K in MiddlewareKind as `deregister${Pascal<K>}`]: (name: string, scope?: Scope) => boolean;
};

/** What the functions do. */
interface Registrar {
  register<K extends MiddlewareKind>(request: RegistrationRequest<K>): Registration;
  deregister(kind: MiddlewareKind, name: string, scope?: Scope): boolean;
}

/** The functions, each of them with its kind filled in. */
export function registrationFunctions(registrar: Registrar): RegistrationFunctions {
  const functions = middlewareKindNames.flatMap((kind) => [
    [`register${pascal(kind)}`, registering(registrar, kind)],
    [`deregister${pascal(kind)}`, (name: string, scope?: Scope) => registrar.deregister(kind, name, scope)],
  ]);
  return Object.fromEntries(functions) as RegistrationFunctions;
}

function registering<K extends MiddlewareKind>(registrar: Registrar, kind: K) {
  return (name: string, handle: MiddlewareHandler<K>, options: RegistrationOptions = {}): Registration => {
    checkReadable(options);
    return registrar.register({ ...options, kind, name, handle });
  };
}

function pascal(kind: MiddlewareKind): string {
  return kind
    .split("_")
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join("");
}
