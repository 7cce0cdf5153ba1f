/**
 * Digests of the visitor's files, each taken once, several files at once on workers.
 *
 * @module
 */
import { Problem } from "../../../core/problem.ts";
import type { BlobId } from "../../../core/store/blobs.ts";

/** The only message to a worker. */
export interface HashRequest {
  readonly file: Blob;
}

/** How far a worker is, or what came of it. */
export type HashReply =
  | { readonly bytes: number }
  | { readonly id: BlobId }
  | { readonly fault: string };

/** A file, and the number that the page gives to it: the same file has the same one. */
export interface NumberedFile {
  readonly number: number;
  readonly file: Blob;
}

/** Answers the digest of each file, in their order. */
export type HashFiles = (
  files: readonly NumberedFile[],
  signal: AbortSignal,
  onBytes: (bytes: number, total: number) => void,
) => Promise<BlobId[]>;

/**
 * Makes the function with an empty memory.
 *
 * @param startWorker Starts a worker that answers {@linkcode HashRequest}.
 * @param width How many files are read at once.
 */
export function fileHashes(startWorker: () => Worker, width: number): HashFiles {
  const known = new Map<number, BlobId>();
  return async (files, signal, onBytes) => {
    const total = files.reduce((bytes, { file }) => bytes + file.size, 0);
    const done = new Map<number, number>();
    const told = (number: number, bytes: number) => {
      done.set(number, bytes);
      onBytes([...done.values()].reduce((sum, each) => sum + each, 0), total);
    };
    const left = new Map(files.map((each) => [each.number, each]));
    for (const [number, { file }] of left) {
      if (!known.has(number)) continue;
      left.delete(number);
      told(number, file.size);
    }
    const waiting = [...left.values()];
    const lane = async () => {
      for (let next = waiting.shift(); next; next = waiting.shift()) {
        const { number, file } = next;
        known.set(number, await hashOn(startWorker(), file, signal, (at) => told(number, at)));
      }
    };
    await Promise.all(Array.from({ length: Math.min(width, waiting.length) }, lane));
    return files.map(({ number }) => known.get(number)!);
  };
}

/** The worker ends with the file. */
async function hashOn(
  worker: Worker,
  file: Blob,
  signal: AbortSignal,
  onBytes: (bytes: number) => void,
): Promise<BlobId> {
  const ended = Promise.withResolvers<BlobId>();
  const abort = () => ended.reject(signal.reason);
  signal.addEventListener("abort", abort);
  if (signal.aborted) abort();
  worker.onmessage = ({ data }: MessageEvent<HashReply>) => {
    if ("bytes" in data) onBytes(data.bytes);
    else if ("id" in data) ended.resolve(data.id);
    else ended.reject(new Problem("invalid-checkpoint", data.fault));
  };
  worker.onerror = (event) => {
    event.preventDefault();
    const detail = `Cannot take the file's digest as its worker failed: ${event.message}`;
    ended.reject(new Problem("unavailable", detail));
  };
  worker.postMessage({ file } satisfies HashRequest);
  try {
    return await ended.promise;
  } finally {
    signal.removeEventListener("abort", abort);
    worker.terminate();
  }
}
