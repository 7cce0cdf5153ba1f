/**
 * Paths by which one file of a checkpoint names another: shards, external data.
 *
 * @module
 */

/**
 * Whether a path leads from a file to one in its folder or below: without scheme, root, `..`, empty parts
 * or control characters. Whoever wrote the file chose the path, and it must not lead anywhere else.
 */
export function isRelativePath(path: string): boolean {
  return path.length <= 1000 && !/[\p{Cc}\\:]/u.test(path) &&
    path.split("/").every((part) => part !== "" && part !== "." && part !== "..");
}

/** The path as a part of an address; slashes stay. */
export function encodePath(path: string): string {
  return path.split("/").map(encodeURIComponent).join("/");
}
