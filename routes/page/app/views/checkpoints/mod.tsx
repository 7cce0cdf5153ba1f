/**
 * The view "checkpoints".
 *
 * @module
 */

/** The view. */
export function CheckpointsView() {
  return <h1>Checkpoints</h1>;
}
