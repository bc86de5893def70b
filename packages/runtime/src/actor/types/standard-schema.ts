/**
 * Standard Schema, version 1 (standardschema.dev): what Zod, Valibot, ArkType and others have in common.
 */

/** Checks values, and may make others of them. */
export interface StandardSchema<Input = unknown, Output = Input> {
  readonly "~standard": {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => StandardResult<Output> | Promise<StandardResult<Output>>;
    /** Types only. */
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
  };
}

/** What a check found. */
export type StandardResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly SchemaIssue[] };

/** What is wrong, and where. */
export interface SchemaIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** Schemas of actions' arguments, each of the whole list: nested as the actions are, or by dotted names. */
export interface ActionInputSchemas {
  readonly [action: string]: StandardSchema | ActionInputSchemas;
}

/** What a schema makes: of one that doesn't say it, whatever is wanted. */
type MadeBy<X> =
  X extends StandardSchema<infer _Input, infer Output>
    ? unknown extends Output
      ? never[]
      : Output extends readonly unknown[]
        ? Output
        : unknown[]
    : never[];

/** The action, or the group, at a name that may be dotted; unknown where there is none, which is found when the definition is made. */
type At<A, K> = K extends keyof A
  ? A[K]
  : K extends `${infer Group}.${infer Rest}`
    ? Group extends keyof A
      ? At<A[Group], Rest>
      : unknown
    : unknown;

/** What is said of a schema that makes what its action doesn't take: the schema that would do. */
type Fitting<X, F> = F extends (c: never, ...args: infer Args) => unknown
  ? F extends (c: never, ...args: [...MadeBy<X>]) => unknown
    ? unknown
    : StandardSchema<unknown, Args>
  : F extends object
    ? FittingSchemas<X, F>
    : unknown;

/** Nothing where each of the schemas `X` makes what its action in `A` takes. Looked at behind the inference of both. */
export type FittingSchemas<X, A> = { readonly [K in keyof X]: Fitting<X[K], At<A, K>> };
