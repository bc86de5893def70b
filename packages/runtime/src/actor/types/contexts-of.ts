/**
 * Types of a definition's contexts, for code outside of it.
 */
import type { ActorDefinition } from "../definition.ts";
import type { ActorTypes, Types } from "./bag.ts";
import type { ActorContext, Conn, ConnContext, CreateContext, CreateStateContext } from "./context.ts";
import type { EventDeclarations } from "./event.ts";

type AnyBag = Types<unknown, unknown, unknown, unknown, unknown, EventDeclarations>;

/** The types that a definition carries. */
export type TypesOf<D> = D extends { readonly "~types"?: { readonly actor: infer T extends ActorTypes } }
  ? T
  : never;

/** `c` of a definition's hooks. */
export type ActorContextOf<D> = ActorContext<TypesOf<D>>;
/** `c` of a definition's actions. */
export type ActionContextOf<D> = ConnContext<TypesOf<D>>;
/** `c` of `createState`. */
export type CreateStateContextOf<D> = CreateStateContext<TypesOf<D>>;
/** `c` of `onCreate`. */
export type CreateContextOf<D> = CreateContext<TypesOf<D>>;
/** `c` of `onConnect` and `onDisconnect`. */
export type ConnectContextOf<D> = ConnContext<TypesOf<D>>;
/** `c` of `run`. */
export type RunContextOf<D> = ActorContext<TypesOf<D>>;
/** `c` of `onWake`. */
export type WakeContextOf<D> = ActorContext<TypesOf<D>>;
/** `c` of `onSleep`. */
export type SleepContextOf<D> = ActorContext<TypesOf<D>>;
/** A connection of a definition's actors. */
export type ConnOf<D> = Conn<TypesOf<D>>;
/** The state of a definition. */
export type StateOf<D> = TypesOf<D>["state"];
/** Any definition made by `actor()`. */
export type SomeDefinition = ActorDefinition<AnyBag, unknown>;
