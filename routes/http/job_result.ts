/**
 * The result of a job as the answer that its call would have been: bytes with ranges, or JSON.
 *
 * @module
 */
import type { Job } from "../../core/jobs/job.ts";
import { Problem } from "../../core/problem.ts";
import type { BlobId } from "../../core/store/blobs.ts";
import type { CheckpointStore } from "../../core/store/checkpoints.ts";
import { respondWithSource } from "./byte_ranges.ts";
import { storedHeaders } from "./stored_headers.ts";

/** What a job whose call answers bytes has as its result. */
export interface StoredResult {
  readonly checkpoint: {
    readonly id: BlobId;
    readonly kind: string;
    readonly media_type?: string;
    readonly name?: string;
  };
  readonly report?: string;
}

/**
 * Answers the result.
 *
 * @throws {Problem} `conflict` if there is none (yet), `not-found` if somebody deleted its bytes.
 */
export async function resultResponse(
  store: CheckpointStore,
  request: Request,
  job: Job,
): Promise<Response> {
  if (job.state !== "done") {
    throw new Problem(
      "conflict",
      `Cannot answer the result as the job must be done: current value is ${job.state}`,
      { job: job.id, state: job.state },
    );
  }
  const stored = storedResult(job);
  if (!stored) return Response.json(job.result, { headers: { "cache-control": "no-store" } });
  const { checkpoint, report } = stored;
  const source = await store.leases.open(checkpoint.id);
  if (!source) {
    throw new Problem(
      "not-found",
      `The result of the job was deleted: current value is ${checkpoint.id}`,
      { job: job.id },
    );
  }
  const { contentType, headers } = storedHeaders(checkpoint);
  return respondWithSource(request, source, {
    etag: `"${checkpoint.id}"`,
    contentType,
    headers: {
      ...headers,
      "cache-control": "private, no-cache",
      ...(report === undefined ? {} : { link: `<${report}>; rel="describedby"` }),
    },
  });
}

/** Where the call answers bytes: merges, and whatever was asked for as a file. */
function storedResult({ kind, request, result }: Job): StoredResult | undefined {
  const isFile = kind === "merge" || request.headers["accept"] !== undefined;
  return isFile && "checkpoint" in (result as object) ? result as StoredResult : undefined;
}
