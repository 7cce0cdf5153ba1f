/**
 * Finds out when an answer is through and how many bytes it had.
 *
 * @module
 */
import { relay } from "../../core/stream/relay.ts";
import { EVENT_TYPES } from "./event_stream.ts";

/** How an answer ended. */
export interface SentAnswer {
  /** Bytes that were taken. */
  readonly bytes: number;
  /** Whether it was given up before its end, by the client or by a failure. */
  readonly aborted: boolean;
  /** The text of a short answer. */
  readonly text?: Uint8Array;
}

/** These have no body, whatever their header says. */
const WITHOUT_BODY = [101, 204, 205, 304];

/** Whether an answer is a stream: those with a length of their own, and events. Any other is there whole. */
export function isStreamed(headers: Headers): boolean {
  const type = headers.get("content-type") ?? "";
  return headers.has("content-length") || EVENT_TYPES.some((event) => type.startsWith(event));
}

/**
 * The same answer; `sent` is called exactly once: for a stream when it has ended, failed or was given up, for
 * everything else before this resolves.
 */
export async function watchAnswer(
  response: Response,
  method: string,
  signal: AbortSignal,
  sent: (answer: SentAnswer) => void,
): Promise<Response> {
  const { headers, status } = response;
  if (method === "HEAD" || WITHOUT_BODY.includes(status)) {
    sent({ bytes: 0, aborted: signal.aborted });
    return response;
  }
  if (!isStreamed(headers)) {
    // To ask for the body of a short text would make a stream of it that has lost its length.
    const text = await response.bytes().catch((error) => {
      sent({ bytes: 0, aborted: true });
      throw error;
    });
    sent({ bytes: text.length, aborted: signal.aborted, text });
    return new Response(text, response);
  }
  if (response.body === null) {
    sent({ bytes: 0, aborted: signal.aborted });
    return response;
  }
  const length = Number(headers.get("content-length") ?? NaN);
  return new Response(watched(response.body, length, signal, sent), response);
}

function watched(
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
  length: number,
  signal: AbortSignal,
  sent: (answer: SentAnswer) => void,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  let bytes = 0;
  let open = true;
  const end = (aborted: boolean) => {
    if (!open) return;
    open = false;
    signal.removeEventListener("abort", gone);
    sent({ bytes, aborted });
  };
  const gone = () => end(true);
  // A host that never takes the first piece does not cancel either.
  signal.addEventListener("abort", gone, { once: true });
  return relay(body, {
    passed(piece) {
      bytes += piece.length;
      // Servers ask for nothing beyond the length that they were told, but cancel.
      if (bytes === length) end(false);
    },
    ended: (how) => end(how !== "whole"),
  }).stream;
}
