/**
 * Files of the operator's folder, for `path` sources.
 *
 * @module
 */
import type { ByteSource } from "../checkpoint/byte_source.ts";
import { Problem } from "../problem.ts";
import { openFile } from "./file_source.ts";

/** Opens files below `folder`; symbolic links count as what they point to. */
export function operatorFiles(folder: string): (path: string) => Promise<ByteSource> {
  return async (path) => {
    const root = await Deno.realPath(folder);
    let real: string;
    try {
      real = await Deno.realPath(`${root}/${path}`);
    } catch {
      throw new Problem(
        "not-found",
        `Cannot read the file as it does not exist: current value is ${path}`,
      );
    }
    if (!real.startsWith(`${root}/`)) {
      throw new Problem(
        "forbidden-source",
        `Cannot read the file as it lies outside the operator's folder: current value is ${path}`,
      );
    }
    return await openFile(real);
  };
}
