/**
 * The names of the pictures of an analysis.
 *
 * @module
 */

/** What a request may ask for: all pictures below each other, or one. */
export const PICTURE_NAMES = ["overview", "cosines", "layers", "magnitudes", "conflict"] as const;

/** One of them. */
export type PictureName = typeof PICTURE_NAMES[number];
