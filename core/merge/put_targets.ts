/**
 * Where the files of a result are sent.
 *
 * @module
 */
import { invalidRecipe } from "./faults.ts";

/**
 * The address of every file: `{file}` stands for its name in a single address; a list has one for each file, in
 * their order.
 *
 * @param files Names, the shards in their order and then their index.
 * @throws {Problem} `invalid-recipe` if they do not go together.
 */
export function putTargets(put: string | readonly string[], files: readonly string[]): string[] {
  if (typeof put !== "string") {
    if (put.length === files.length) return [...put];
    throw fault(
      `the result has ${files.length} ${files.length === 1 ? "file" : "files"} (${
        files.slice(0, 3).join(", ")
      }${files.length > 3 ? ", …" : ""}): current number of addresses is ${put.length}`,
    );
  }
  const named = /\{file\}|%7Bfile%7D/i;
  if (files.length > 1 && !named.test(put)) {
    throw fault(
      `the result has ${files.length} files, so that {file} must stand in the address for their names: ` +
        `current host is ${new URL(put).host}`,
    );
  }
  return files.map((file) => put.replace(named, encodeURIComponent(file)));
}

function fault(reason: string) {
  return invalidRecipe([{
    path: "output.put",
    message: `Cannot send the result as ${reason}`,
  }]);
}
