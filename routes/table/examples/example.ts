/**
 * What an example of a request is.
 *
 * @module
 */

/** A request. */
export interface Example {
  /** The id of its operation. */
  readonly operation: string;
  /** Its name, unique in its operation. */
  readonly name: string;
  readonly summary: string;
  readonly document?: Readonly<Record<string, unknown>>;
  /** File parts behind the document: the file of each. */
  readonly uploads?: Readonly<Record<string, string>>;
  /** The file that is the body. */
  readonly file?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string>>;
  /** Parameters of the path. */
  readonly path?: Readonly<Record<string, string>>;
  readonly status: number;
}
