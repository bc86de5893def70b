/** Mount words: a mounted file system knows its paths from its own root, and says them so in its errors; who reads one knows them from the sandbox's. */
import type { IFileSystem } from "just-bash";

/** The same file system, whose errors have the path of its mount before its own paths. */
export function saysPlaces<F extends IFileSystem>(mount: string, files: F): F {
  const placed = (cause: unknown): unknown => {
    if (cause instanceof Error) cause.message = cause.message.replaceAll("'/", `'${mount}/`);
    return cause;
  };
  return new Proxy(files, {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== "function") return value;
      return (...args: unknown[]): unknown => {
        try {
          const done: unknown = Reflect.apply(value, target, args);
          return done instanceof Promise
            ? done.catch((cause: unknown) => Promise.reject(placed(cause)))
            : done;
        } catch (cause) {
          throw placed(cause);
        }
      };
    },
  });
}
