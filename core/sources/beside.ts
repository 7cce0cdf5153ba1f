/**
 * Where a file lies that another file names by a path relative to itself: a shard, external data.
 *
 * @module
 */
import { encodePath, isRelativePath } from "../checkpoint/relative_path.ts";
import type { SourceSpec } from "../merge/sources.ts";
import { Problem } from "../problem.ts";

/**
 * The source of a file beside another: at the same address or in the same folder, or the upload of its name.
 * The same headers and query are sent for it, as the path cannot lead to another host.
 *
 * @param name Name of the source, for messages.
 * @param spec Where the file is that names the other.
 * @param location The path that it gives.
 * @throws {Problem} `invalid-checkpoint` if the path leads elsewhere; `unsupported-format` for a stored file,
 * which stands alone.
 */
export function specBeside(name: string, spec: SourceSpec, location: string): SourceSpec {
  if (!isRelativePath(location)) {
    throw new Problem(
      "invalid-checkpoint",
      `Cannot read source "${name}" as the files that it names must lie beside it: ` +
        `current value is "${location.slice(0, 200)}"`,
      { source: name },
    );
  }
  switch (spec.type) {
    case "upload":
      return { type: "upload", part: location };
    case "url": {
      const url = new URL(encodePath(location), spec.url);
      url.search = new URL(spec.url).search;
      return { ...spec, url: url.href };
    }
    case "path":
      return { type: "path", path: spec.path.replace(/[^/]*$/, "") + location };
    case "hub":
    case "checkpoint":
      throw new Problem(
        "unsupported-format",
        `Cannot read source "${name}" as its weights lie in other files, which a stored file cannot ` +
          `have: current value is "${location}"`,
        { source: name },
      );
  }
}
