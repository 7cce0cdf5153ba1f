/**
 * Bodies of answers as streams.
 *
 * @module
 */
import type { Bytes, ByteSource } from "../../core/checkpoint/byte_source.ts";

const PIECE = 1 << 20;

/**
 * The bytes of a source in order; it is closed at the end, however that comes.
 *
 * @param failed Is told why the source cannot be read, for where the reader of the stream would take it for a
 * client's fault.
 */
export function streamFrom(
  source: ByteSource,
  failed: (error: unknown) => void = () => {},
): ReadableStream<Bytes> {
  let at = 0;
  return new ReadableStream({
    async pull(stream) {
      try {
        const end = Math.min(at + PIECE, source.byteLength);
        if (end > at) stream.enqueue(await source.slice(at, end));
        at = end;
        if (at < source.byteLength) return;
        source.close?.();
        stream.close();
      } catch (error) {
        failed(error);
        source.close?.();
        stream.error(error);
      }
    },
    cancel: () => source.close?.(),
  }, { highWaterMark: 0 });
}

/** The same answer; `sent` is called once when its body is through, has failed or was given up. */
export function whenSent(response: Response, sent: () => void): Response {
  const type = response.headers.get("content-type") ?? "";
  // Short texts are there whole; asking for their body would make a stream of them.
  const streamed = response.headers.has("content-length") || /event-stream|ndjson/.test(type);
  if (!streamed || response.body === null) {
    sent();
    return response;
  }
  const reader = response.body.getReader();
  const body = new ReadableStream({
    async pull(stream) {
      try {
        const { done, value } = await reader.read();
        if (!done) return stream.enqueue(value);
        sent();
        stream.close();
      } catch (error) {
        sent();
        stream.error(error);
      }
    },
    async cancel(reason) {
      sent();
      await reader.cancel(reason);
    },
  }, { highWaterMark: 0 });
  return new Response(body, response);
}
