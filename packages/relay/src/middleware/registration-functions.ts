/** The registration functions of all kinds by name, made from the table: `registerToolRequestIntercept` and so on. */
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

/** One function for each kind: `registerSubscriber(name, handle, options?)` and so on. */
export type RegistrationFunctions = {
  readonly [K in MiddlewareKind as `register${Pascal<K>}`]: (
    name: string,
    handle: MiddlewareHandler<K>,
    options?: RegistrationOptions,
  ) => Registration;
};

type Register = <K extends MiddlewareKind>(request: RegistrationRequest<K>) => Registration;

/** The functions, all of them `register` with the kind filled in. */
export function registrationFunctions(register: Register): RegistrationFunctions {
  const functions = middlewareKindNames.map((kind) => [functionName(kind), filledIn(register, kind)]);
  return Object.fromEntries(functions) as RegistrationFunctions;
}

function filledIn<K extends MiddlewareKind>(register: Register, kind: K) {
  return (name: string, handle: MiddlewareHandler<K>, options: RegistrationOptions = {}): Registration =>
    register({ ...options, kind, name, handle });
}

function functionName(kind: MiddlewareKind): string {
  const words = kind.split("_").map((word) => word.charAt(0).toUpperCase() + word.slice(1));
  return `register${words.join("")}`;
}
