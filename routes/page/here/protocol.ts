/**
 * The messages between the page and the worker that answers its requests in this browser.
 *
 * A request comes with a port of its own, on which its answer is told: progress, the head, then the body piece by
 * piece as the page asks for it, so that a merge goes as fast as its result is taken and no faster.
 *
 * @module
 */
import type { EngineName } from "../../../core/engine/engine_name.ts";
import type { NumberedFile } from "./hash_files.ts";

/** The first message to the worker. */
export interface HereStart {
  readonly engine: EngineName;
}

/** A file of a request under the name of its source. */
export interface NamedFile extends NumberedFile {
  readonly name: string;
}

/** A request; the port comes with it. */
export interface HereRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly document?: { readonly part: string; readonly text: string };
  readonly files: readonly NamedFile[];
  readonly bytes?: Blob;
  readonly port: MessagePort;
}

/** What the page says on a request's port. */
export type HereCall =
  /** Asks for the next piece of the body. */
  | { readonly call: "pull" }
  /** Gives the answer up, whatever there is of it. */
  | { readonly call: "abort" };

/** What the worker says on a request's port. */
export type HereReply =
  | { readonly reply: "sent"; readonly bytes: number; readonly total: number }
  | {
    readonly reply: "head";
    readonly status: number;
    readonly headers: readonly (readonly [string, string])[];
    readonly hasBody: boolean;
  }
  | { readonly reply: "piece"; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly reply: "end" }
  /** The body broke off; the reason is a problem document. */
  | { readonly reply: "fault"; readonly problem: unknown };
