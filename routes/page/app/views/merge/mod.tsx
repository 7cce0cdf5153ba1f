/**
 * The view "merge".
 *
 * @module
 */

/** The view. */
export function MergeView() {
  return <h1>Merge</h1>;
}
