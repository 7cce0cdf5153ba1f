/**
 * Tells whether two requests are the same, whatever boundary their parts have.
 *
 * @module
 */
import type { ByteSource } from "../../core/checkpoint/byte_source.ts";
import type { BlobId } from "../../core/store/blobs.ts";

const PIECE = 1 << 20;
/** Digests of digests: the platform hashes only whole buffers. */
const digest = async (bytes: Uint8Array<ArrayBuffer>) =>
  new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));

/** A digest of the address and the body; a multipart boundary, which clients choose anew, does not count. */
export async function requestDigest(
  path: string,
  contentType: string | null,
  id: BlobId,
  body: ByteSource,
): Promise<string> {
  const boundary = /;\s*boundary=(?:"([^"]+)"|([^\s;]+))/i.exec(contentType ?? "");
  const mark = boundary?.[1] ?? boundary?.[2];
  const type = (contentType ?? "").split(";")[0]!.trim().toLowerCase();
  const content = mark === undefined ? id : await digestWithout(body, mark);
  return (await digest(new TextEncoder().encode(`${path}\n${type}\n${content}`))).toHex();
}

/** Chained digests of pieces of fixed size of the body without the mark. */
async function digestWithout(body: ByteSource, mark: string): Promise<string> {
  const decoder = new TextDecoder("latin1");
  let chain = "";
  let rest = new Uint8Array();
  let gathered = new Uint8Array();
  const add = async (bytes: Uint8Array, last: boolean) => {
    const all = new Uint8Array(gathered.length + bytes.length);
    all.set(gathered);
    all.set(bytes, gathered.length);
    let at = 0;
    for (; all.length - at >= PIECE || last && at < all.length; at += PIECE) {
      chain = (await digest(
        new Uint8Array([
          ...new TextEncoder().encode(chain),
          ...await digest(all.slice(at, at + PIECE)),
        ]),
      )).toHex();
    }
    gathered = all.slice(at);
  };
  for (let start = 0; start < body.byteLength; start += PIECE) {
    const piece = await body.slice(start, Math.min(start + PIECE, body.byteLength));
    const all = new Uint8Array(rest.length + piece.length);
    all.set(rest);
    all.set(piece, rest.length);
    const text = decoder.decode(all);
    let from = 0;
    for (let at; (at = text.indexOf(mark, from)) >= 0; from = at + mark.length) {
      await add(all.subarray(from, at), false);
    }
    const hold = Math.max(from, all.length - mark.length + 1);
    await add(all.subarray(from, hold), false);
    rest = all.slice(hold);
  }
  await add(rest, true);
  return chain;
}
