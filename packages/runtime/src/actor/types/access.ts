/** Who may call which action. Ours: in RivetKit each action asks for itself. */

/**
 * Who may call an action: a function that is asked before the action, once the caller has passed the connect hooks; it
 * returns true or false. "internal": other actors, by a call, and the actor's own schedules; never a client.
 */
export type CallGuard<C> = "internal" | ((c: C, action: string) => boolean | Promise<boolean>);

/**
 * Guards by action, or by a group of actions; `N` are the actor's names of both. The nearest one counts; an action without any
 * may be called by everybody.
 */
export type CallGuards<C, N extends string = string> = {
  readonly [action in N | `${N}.${string}`]?: CallGuard<C> | CallGuards<C>;
};
