/** JSON pointers (RFC 6901), with `*` for any one name and `**` for any number of them. */

/** True when `target` means `path`. */
export function matchesPath(target: string, path: readonly string[]): boolean {
  return matches(namesOf(target), path);
}

function namesOf(pointer: string): readonly string[] {
  if (pointer === "" || pointer === "/") return [];
  const names = pointer.split("/").map((name) => name.replaceAll("~1", "/").replaceAll("~0", "~"));
  return names[0] === "" ? names.slice(1) : names;
}

/** Reads both from the left; `open` is where the last `**` may take one name more. */
function matches(names: readonly string[], path: readonly string[]): boolean {
  let name = 0;
  let open: { readonly name: number; at: number } | undefined;
  for (let at = 0; at < path.length; ) {
    if (names[name] === "**") {
      open = { name, at };
      name += 1;
    } else if (names[name] === "*" || (name < names.length && names[name] === path[at])) {
      name += 1;
      at += 1;
    } else if (open === undefined) {
      return false;
    } else {
      open.at += 1;
      at = open.at;
      name = open.name + 1;
    }
  }
  return names.slice(name).every((rest) => rest === "**");
}
