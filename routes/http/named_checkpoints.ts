/**
 * Finds the stored checkpoints that the document of a kept request names.
 *
 * @module
 */
import type { ByteSource } from "../../core/checkpoint/byte_source.ts";
import { Problem } from "../../core/problem.ts";
import type { BlobId } from "../../core/store/blobs.ts";
import { idsIn } from "../../core/store/collect_orphans.ts";
import { parseMediaType } from "./media_type.ts";
import { checkBoundary, multipartParser } from "./multipart_parser.ts";

const PIECE = 1 << 16;
/** As in the reading of the request itself. */
const HEADER_BYTES = 16_384;

/**
 * The ids in the document, which is the first part of a form, else the whole body. None where the request is malformed:
 * its job will say so.
 *
 * @param limit Bytes that a document may have.
 */
export async function namedCheckpoints(
  { headers }: Request,
  body: ByteSource,
  limit: number,
): Promise<BlobId[]> {
  const media = parseMediaType(headers.get("content-type") ?? "");
  const text = media?.type === "multipart/form-data"
    ? await firstPart(media.parameters.get("boundary"), body, limit)
    : body.byteLength <= limit
    ? new TextDecoder().decode(await body.slice(0, body.byteLength))
    : "";
  return [...new Set(idsIn(text))] as BlobId[];
}

async function firstPart(
  boundary: string | undefined,
  body: ByteSource,
  limit: number,
): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  try {
    const parser = multipartParser(checkBoundary(boundary), HEADER_BYTES);
    const end = Math.min(body.byteLength, limit + HEADER_BYTES + PIECE);
    for (let at = 0; at < end; at += PIECE) {
      for (const event of parser.push(await body.slice(at, Math.min(at + PIECE, end)))) {
        if (event.type === "data") text += decoder.decode(event.bytes, { stream: true });
        if (event.type === "end") return text;
      }
    }
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
  }
  return text;
}
