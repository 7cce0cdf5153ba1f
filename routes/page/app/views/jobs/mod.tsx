/**
 * The view "jobs".
 *
 * @module
 */

/** The view. */
export function JobsView() {
  return <h1>Jobs</h1>;
}
