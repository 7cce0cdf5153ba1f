/**
 * The check that every byte source makes of the range it is asked for.
 *
 * @module
 */

/**
 * Checks that `[start, end)` lies inside a source of `byteLength` bytes that is still open.
 *
 * @throws {RangeError} If `0 <= start <= end <= byteLength` does not hold or the source is closed.
 */
export function checkRange(start: number, end: number, byteLength: number, closed: boolean): void {
  if (closed) throw new RangeError("Cannot read the source as it is closed");
  const whole = Number.isSafeInteger(start) && Number.isSafeInteger(end);
  if (whole && 0 <= start && start <= end && end <= byteLength) return;
  throw new RangeError(
    `Cannot read the source as the range must lie in [0, ${byteLength}]: ` +
      `current value is [${start}, ${end})`,
  );
}
