/**
 * What can't be state, said where it is written. It is looked at behind the inference, and one level deep: the rest is found
 * when the state is made.
 */

type IsAny<T> = 0 extends 1 & T ? true : false;

/** A function, or nothing where it isn't given. */
type IsFunction<T> =
  IsAny<T> extends true
    ? false
    : [NonNullable<T>] extends [never]
      ? false
      : [NonNullable<T>] extends [(...args: never[]) => unknown]
        ? true
        : false;

/** Names of the properties that are functions. */
type FunctionsIn<S> =
  IsAny<S> extends true
    ? never
    : S extends readonly unknown[]
      ? never
      : S extends object
        ? { [K in keyof S]-?: IsFunction<S[K]> extends true ? K : never }[keyof S]
        : never;

type Refused<K extends PropertyKey> = { readonly [name in K]: "state is data: a function can't be kept" };

/** Nothing where state `S` can be kept; else what its compiler says of it. */
export type KeptState<S> = [FunctionsIn<S>] extends [never]
  ? unknown
  : {
      readonly state?: Refused<FunctionsIn<S>>;
      readonly createState?: (...args: never[]) => Refused<FunctionsIn<S>> | Promise<Refused<FunctionsIn<S>>>;
    };
