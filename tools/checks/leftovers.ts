/** No notes to self in the repository, no commented-out code, and no room without a name. */
import type { Check, Problem } from "../check.ts";
import type { Repository } from "../repository.ts";
import type { SourceModule } from "../source-module.ts";

export const leftoversCheck: Check = {
  name: "leftovers",
  remedy:
    "Do it now, or say in the documentation what is not supported; name a file after the noun that it holds.",
  find: (repository) => [
    ...repository.modules().flatMap((module) => [...notes(module), ...deadCode(module)]),
    ...repository
      .files()
      .filter(isPlainText)
      .flatMap((path) => textNotes(repository, path)),
    ...repository.files().flatMap(namelessRoom),
  ],
};

const note = /\b(TODO|FIXME|XXX|HACK)\b/;
// A statement's shape at both ends: prose rarely ends in a semicolon or brace after such a start.
const statement =
  /^\s*(import|export|const|let|var|if|for|while|return|await|throw|this\.)\b.*([;{]|\)\s*\{)\s*$/;
const nameless = /^(utils?|commons?|helpers?|misc|stuff)$/i;

function notes(module: SourceModule): Problem[] {
  return module.comments.flatMap((comment) => {
    const found = note.exec(comment.value);
    return found === null ? [] : [{ at: module.at(comment), message: `a note to self: ${found[0]}` }];
  });
}

function deadCode(module: SourceModule): Problem[] {
  return module.comments
    .filter((comment) => comment.type === "Line" && statement.test(comment.value))
    .map((comment) => ({ at: module.at(comment), message: "commented-out code" }));
}

function isPlainText(path: string): boolean {
  return /\.(md|c|h|rs|py|sh|ya?ml|toml|html|css)$/.test(path);
}

function textNotes(repository: Repository, path: string): Problem[] {
  const lines = repository.text(path).split("\n");
  return lines.flatMap((line, index) => {
    const found = note.exec(line);
    return found === null ? [] : [{ at: `${path}:${index + 1}`, message: `a note to self: ${found[0]}` }];
  });
}

function namelessRoom(path: string): Problem[] {
  const parts = path.split("/").map((part) => part.replace(/\..*$/, ""));
  const found = parts.find((part) => nameless.test(part));
  return found === undefined ? [] : [{ at: path, message: `"${found}" says nothing about what is in it` }];
}
