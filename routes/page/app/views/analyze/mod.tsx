/**
 * The view "analyze".
 *
 * @module
 */

/** The view. */
export function AnalyzeView() {
  return <h1>Analyze</h1>;
}
