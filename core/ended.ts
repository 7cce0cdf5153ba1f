/**
 * The end of what a signal belongs to.
 *
 * @module
 */

/**
 * Why a signal is aborted though nobody gave up: what it belongs to is over. It is made once, as an exception takes its
 * stack, which for a small merge is a tenth of the work.
 */
export const ENDED = new DOMException("The work has ended", "AbortError");
