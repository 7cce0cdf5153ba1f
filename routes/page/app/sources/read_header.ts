/**
 * Reads the header of a file in this page, and no more of it. Loaded on first use.
 *
 * @module
 */
import { blobSource } from "../../../../core/checkpoint/blob_source.ts";
import { openCheckpoint } from "../../../../core/checkpoint/open_checkpoint.ts";
import { Problem } from "../../../../core/problem.ts";
import type { ProblemDocument } from "../service/problem.ts";
import type { Outline } from "./named_source.ts";
import { problemDocument } from "./problem_document.ts";

/** What was found. */
export type Inspected = { readonly outline: Outline } | { readonly fault: ProblemDocument };

/**
 * Reads the header of a file.
 *
 * @param name As problems call the source.
 * @param beside Files that it may name, by their names.
 */
export async function readHeader(
  file: Blob,
  name: string,
  beside: ReadonlyMap<string, Blob> = new Map(),
): Promise<Inspected> {
  const source = blobSource(file);
  try {
    const checkpoint = await openCheckpoint(source, (path) => {
      const found = beside.get(path);
      if (found) return Promise.resolve(blobSource(found));
      return Promise.reject(
        new Problem(
          "invalid-checkpoint",
          `Cannot find a file that "${name}" names: choose it together with ${path}`,
          { source: name },
        ),
      );
    }, { name });
    checkpoint.close();
    const { kind, byteLength, tensors, metadata } = checkpoint;
    return {
      outline: {
        kind,
        bytes: byteLength,
        metadata,
        tensors: [...tensors.values()].map(({ name, dtype, shape }) => ({ name, dtype, shape })),
      },
    };
  } catch (error) {
    return { fault: problemDocument(error) };
  } finally {
    source.close?.();
  }
}
