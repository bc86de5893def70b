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
