/**
 * What the page asks for its work: the service over the network, or the same code in this browser.
 *
 * @module
 */

/** Where work is done: `service` over the network, `browser` on this machine. */
export type Place = "service" | "browser";

/** A request of the page, in the service's own terms (API.md). */
export interface ServiceRequest {
  readonly method: "GET" | "POST" | "DELETE" | "HEAD";
  /** Path and query, such as `/merge`. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** The document of a POST. */
  readonly document?: { readonly part: "recipe" | "request"; readonly value: unknown };
  /** Files by the name of their source; in the browser they are read where they are, not copied. */
  readonly files?: ReadonlyMap<string, Blob>;
  /** Bytes of a POST without a document, such as a checkpoint to keep. */
  readonly bytes?: Blob;
  readonly signal?: AbortSignal;
  /**
   * Told while the request's bytes are taken in (uploaded, or hashed where they stay in the browser). Over the network
   * the answer is then held whole, so that it should be short.
   */
  readonly onSent?: (bytes: number, total: number) => void;
}

/**
 * Answers a request; the body streams.
 *
 * @throws {ProblemError} For every answer that is a problem document, and where the service cannot be reached.
 */
export type Send = (request: ServiceRequest) => Promise<Response>;
