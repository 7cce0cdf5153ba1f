/**
 * The view "atm".
 *
 * @module
 */

/** The view. */
export function AtmView() {
  return <h1>Atm</h1>;
}
