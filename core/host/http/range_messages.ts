/**
 * The messages between a thread that reads by ranges and the one that makes the requests.
 *
 * @module
 */
import type { LentBytes, Loans } from "../../engine/lent_memory.ts";

/** The first message. */
export interface RangeStart {
  readonly headerBytes: number;
}

/** What is asked of a request; one thing at a time, but for its end. */
export type RangeCall =
  | {
    readonly id: number;
    readonly url: string;
    readonly headers: [string, string][];
    readonly addresses: readonly string[] | undefined;
  }
  /** Bytes of its body: put where all threads see them, or sent, at most so many. */
  | { readonly id: number; readonly read: LentBytes | number; readonly loans?: Loans }
  /** It is given up. Nothing is answered. */
  | { readonly id: number; readonly end: true };

/** The answer to a call. */
export type RangeReply =
  | {
    readonly id: number;
    readonly status: number;
    readonly headers: [string, string][];
    readonly ended: boolean;
  }
  /** How many bytes were read, or null at the end of the body; and whether there are no more. */
  | {
    readonly id: number;
    readonly count: number | null;
    readonly bytes?: Uint8Array<ArrayBuffer>;
    readonly ended: boolean;
  }
  | { readonly id: number; readonly error: string };
