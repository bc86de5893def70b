import { error } from "../new-error.ts";

/** The one error of runtime sockets that is for where there are none, and nothing else of them is. */
export function runtimeSocketUnavailable() {
  return error(501, "runtime_socket", "unavailable", "There are no Unix sockets where this actor runs");
}
