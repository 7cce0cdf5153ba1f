/**
 * Files of the operator's folder, for `path` sources.
 *
 * @module
 */
import type { ByteSource } from "../checkpoint/byte_source.ts";
import { didYouMean } from "../merge/nearest.ts";
import { Problem } from "../problem.ts";
import { CHECKPOINT_FILES } from "../sources/hub.ts";
import { openFile } from "./file_source.ts";

/** A file of the operator's folder. */
export interface OperatorFile {
  readonly bytes: ByteSource;
  /** Where it lies below the folder: of a folder that holds a checkpoint, the checkpoint. */
  readonly path: string;
}

/**
 * Opens files below `folder`; symbolic links count as what they point to. The path of a folder stands for the
 * checkpoint in it, as it does in a repository of the hub.
 *
 * @throws {Problem} `not-found` if there is no such file; `forbidden-source` if it lies outside the folder.
 */
export function operatorFiles(folder: string): (path: string) => Promise<OperatorFile> {
  return async (path) => {
    const root = await Deno.realPath(folder);
    const real = await realPath(`${root}/${path}`);
    if (real === undefined) {
      throw absent(`it does not exist${await neighbour(root, path)}`, path);
    }
    if (!isBelow(root, real)) throw outside(path);
    if (!(await Deno.stat(real)).isDirectory) return { bytes: await openFile(real), path };
    for (const name of CHECKPOINT_FILES) {
      const file = await realPath(`${real}/${name}`);
      if (file === undefined) continue;
      const inside = `${path.replace(/\/+$/, "")}/${name}`;
      if (!isBelow(root, file)) throw outside(inside);
      return { bytes: await openFile(file), path: inside };
    }
    throw absent(`the folder has neither ${CHECKPOINT_FILES.join(" nor ")}`, path);
  };
}

async function realPath(path: string): Promise<string | undefined> {
  try {
    return await Deno.realPath(path);
  } catch {
    return undefined;
  }
}

function isBelow(root: string, real: string): boolean {
  return real === root || real.startsWith(`${root}/`);
}

/** The nearest name in the same folder, if that lies below the root. */
async function neighbour(root: string, path: string): Promise<string> {
  const [, parent = "", name = ""] = /^(.*\/)?([^/]*)$/.exec(path)!;
  const real = await realPath(`${root}/${parent}`);
  if (real === undefined || !isBelow(root, real)) return "";
  const names: string[] = [];
  try {
    for await (const entry of Deno.readDir(real)) names.push(entry.name);
  } catch {
    return "";
  }
  return didYouMean(name, names.sort());
}

function absent(reason: string, path: string): Problem {
  return new Problem(
    "not-found",
    `Cannot read the file as ${reason}: current value is ${path}`,
  );
}

function outside(path: string): Problem {
  return new Problem(
    "forbidden-source",
    `Cannot read the file as it lies outside the operator's folder: current value is ${path}`,
  );
}
