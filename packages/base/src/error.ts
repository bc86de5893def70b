/**
 * The one error that crosses boundaries.
 *
 * Every failure that a caller can see is `{ group, code, message, metadata, retryable }`. `group.code` is stable and
 * is what programs branch on; the message is for people and may change. Errors that are not `public` leave a host as
 * `internal.error`, with an id that finds the real one in the log.
 */
export class TroupeError extends Error {
  readonly group: string;
  readonly code: string;
  /** Plain data about this occurrence: limits, names, sizes. Crosses the wire. */
  readonly metadata: Readonly<Record<string, unknown>> | undefined;
  /** True when the same call may succeed later and surely had no effect now. */
  readonly retryable: boolean;
  /** True when a remote caller may read the message and metadata. */
  readonly public: boolean;
  /** The HTTP status that a gateway answers with. */
  readonly statusCode: number;
  /** Marks the class across realms and copies of the package, where `instanceof` fails. */
  declare readonly __troupeError: 1;

  // On the prototype, where every error of the language has its name: neither clutters what a person is shown.
  static {
    Object.defineProperty(TroupeError.prototype, "name", { value: "TroupeError", configurable: true });
    Object.defineProperty(TroupeError.prototype, "__troupeError", { value: 1 });
  }

  constructor(group: string, code: string, message: string, options: TroupeErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.group = group;
    this.code = code;
    this.metadata = options.metadata;
    this.retryable = options.retryable ?? false;
    this.public = options.public ?? true;
    this.statusCode = options.statusCode ?? 400;
  }

  /**
   * True for errors of this class, also from another realm or another copy of this package. Never throws: what was
   * thrown may be a Proxy that does.
   */
  static is(value: unknown): value is TroupeError {
    if (typeof value !== "object" || value === null) return false;
    try {
      return "__troupeError" in value && value.__troupeError === 1;
    } catch {
      return false;
    }
  }
}

/** An error by its shape alone: what a `TroupeError` is, and a copy of one that was stored or came from elsewhere. */
export interface RivetErrorLike {
  readonly group: string;
  readonly code: string;
  readonly message: string;
  readonly metadata?: unknown;
  readonly public?: boolean;
  readonly statusCode?: number;
}

/** Everything about a `TroupeError` but its code and message. */
export interface TroupeErrorOptions {
  readonly metadata?: Readonly<Record<string, unknown>>;
  /** Default: false. */
  readonly retryable?: boolean;
  /** Default: true. */
  readonly public?: boolean;
  /** Default: 400. */
  readonly statusCode?: number;
  readonly cause?: unknown;
}

/** What a `UserError` may say beside its message. */
export interface UserErrorOptions {
  /** Default: "user_error". */
  readonly code?: string;
  readonly metadata?: Readonly<Record<string, unknown>>;
  readonly cause?: unknown;
}

/**
 * An error that an actor throws for its caller to read: group `user`, a code of your own, and its message unmasked.
 *
 * ```ts
 * throw new UserError("That name is taken", { code: "name_taken", metadata: { name } });
 * ```
 */
export class UserError extends TroupeError {
  static {
    Object.defineProperty(UserError.prototype, "name", { value: "UserError", configurable: true });
  }

  constructor(message: string, options: UserErrorOptions = {}) {
    super("user", options.code ?? "user_error", message, {
      ...(options.metadata === undefined ? {} : { metadata: options.metadata }),
      ...(options.cause === undefined ? {} : { cause: options.cause }),
    });
  }
}
