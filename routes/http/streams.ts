/**
 * Bodies of answers as streams.
 *
 * @module
 */
import type { Bytes, ByteSource } from "../../core/checkpoint/byte_source.ts";
import { Problem } from "../../core/problem.ts";
import { giveAway } from "../../core/stream/given_bytes.ts";
import { relay } from "../../core/stream/relay.ts";

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
        if (end > at) stream.enqueue(giveAway(await source.slice(at, end)));
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

/**
 * Pieces that come to a known number of bytes, as the body of an answer that tells it.
 *
 * Servers ask for nothing beyond that number and then cancel the stream; so the end is looked for with the last byte.
 *
 * @param end Called once: before the last byte is handed over, or with the reason why it never is.
 */
export function streamOfLength(
  next: () => IteratorResult<Bytes, void> | Promise<IteratorResult<Bytes, void>>,
  byteLength: number,
  end: (error?: unknown) => Promise<void>,
): ReadableStream<Bytes> {
  let missing = byteLength;
  let ended: Promise<void> | undefined;
  const finish = (error?: unknown) => ended ??= end(error);
  return new ReadableStream({
    async pull(stream) {
      try {
        const { done, value } = await next();
        if (!done) {
          missing -= value.length;
          if (missing > 0) return stream.enqueue(value);
          if (missing < 0 || !(await next()).done) {
            throw new RangeError(`The answer must end after ${byteLength} bytes: more came`);
          }
          const finished = finish();
          stream.enqueue(value);
          stream.close();
          return await finished;
        }
        if (missing > 0) {
          throw new RangeError(`The answer must have ${byteLength} bytes: ${missing} did not come`);
        }
        await finish();
        stream.close();
      } catch (error) {
        await finish(error);
        stream.error(error);
      }
    },
    cancel: () =>
      finish(new Problem("upstream", "The client went away before the end of the stream")),
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
  return new Response(relay(response.body, { ended: sent }).stream, response);
}
