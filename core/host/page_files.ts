/**
 * The files of the built page (`deno task page`).
 *
 * @module
 */

const BUILT = new URL("../../routes/page/built/", import.meta.url);

/** Reads a file of the page by its name; undefined if there is none, or no page was built. */
export function pageFiles(folder: URL = BUILT) {
  return async (name: string): Promise<Uint8Array<ArrayBuffer> | undefined> => {
    try {
      return await Deno.readFile(new URL(name, folder));
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw error;
    }
  };
}
