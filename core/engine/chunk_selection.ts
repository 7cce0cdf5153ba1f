/**
 * Which elements of a chunk are kept, as plain data.
 *
 * @module
 */
import type { RankedSelection } from "../methods/measure.ts";
import type { Words } from "../tensor/random.ts";

/** The elements at and above a key: all above it, and the first `quota` that equal it. */
export interface KeyCut {
  readonly key: number;
  readonly quota: number;
}

/** A selection bound to one chunk. */
export type ChunkSelection =
  /** Magnitudes inside the cut, less those inside `without`. */
  | { readonly kind: "threshold"; readonly cut: KeyCut; readonly without?: KeyCut }
  /** The chunk is the whole tensor: keep the `keep` magnitudes that follow the `skip` largest. */
  | { readonly kind: "largest"; readonly keep: number; readonly skip: number }
  /** Random numbers of the elements `first`, `first` + 1, …; `first` is even. */
  | {
    readonly kind: "random";
    readonly key: Words;
    readonly first: number;
    readonly probability: number;
  }
  /** One byte per element; 0 drops it. */
  | { readonly kind: "mask"; readonly keep: Uint8Array }
  /** The chunk is made of whole vectors, whose magnitudes are ranked. */
  | {
    readonly kind: "ranked";
    readonly vectors: RankedSelection;
    readonly first: number;
    /** The random stream: a key of Threefry, or one draw per element. */
    readonly stream: { readonly key: Words } | { readonly draws: Uint32Array };
  };

/** Selections per model; undefined keeps all. */
export type ChunkSelections = readonly (ChunkSelection | undefined)[];
