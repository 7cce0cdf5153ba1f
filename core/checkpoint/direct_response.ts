/**
 * Answers whose bytes can be read straight into the reader's memory, without a stream's pieces between.
 *
 * @module
 */

/** An answer with a second way to its body: either the stream is read, or this. */
export interface DirectResponse extends Response {
  /** Reads some bytes, at most as many as fit; null at the end. */
  readonly readInto: (target: Uint8Array) => Promise<number | null>;
}

/** Whether an answer offers it. */
export function isDirect(response: Response): response is DirectResponse {
  return "readInto" in response;
}
