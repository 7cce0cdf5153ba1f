/**
 * Frees the memory of an answer's pieces once the server has taken them.
 *
 * @module
 */
import { freeGiven } from "../stream/given_bytes.ts";
import { relay } from "../stream/relay.ts";

/**
 * The same answer, for the host's own server alone: who asks it for the next piece has the one before, and keeps what
 * it still has to send, but nobody else may look at a piece after asking for the next one.
 */
export function freeSent(response: Response): Response {
  const { body, headers } = response;
  // Any other body is a short text that the server has whole; to ask for it would make a stream of it.
  if (!headers.has("content-length") || body === null) return response;
  let last: Uint8Array<ArrayBuffer> | undefined;
  const free = () => {
    if (last) freeGiven(last);
    last = undefined;
  };
  const passed = (piece: Uint8Array<ArrayBuffer>) => void (last = piece);
  const { stream } = relay(body, { asked: free, passed, ended: free });
  return new Response(stream, response);
}
