/**
 * What is found out about a request while it is answered, for its line in the log.
 *
 * @module
 */

/** Facts of one request. */
export interface RequestFacts {
  /** Its id, as in the answer's `X-Request-Id`. */
  id: string;
  /** The first digits of its key's SHA-256, if it came with a key. */
  caller?: string;
  /** The job that it became or found. */
  job?: string;
  /** Bytes of its body that were received. */
  received: number;
}

const KNOWN = new WeakMap<Request, RequestFacts>();

/** The facts of a request, to be read and completed. */
export function factsOf(request: Request): RequestFacts {
  let facts = KNOWN.get(request);
  if (facts === undefined) {
    facts = { id: "", received: 0 };
    KNOWN.set(request, facts);
  }
  return facts;
}
