/**
 * Drawn inputs, moved to where a function is defined and smooth.
 *
 * @module
 */
import type { CheckedInput } from "../gradient_check.ts";
import type { Draw } from "./drawn_cases.ts";

/** Values between -1 and 1 come to lie between `low` and `high`. */
export function between(low: number, high: number, input: CheckedInput): CheckedInput {
  // Drawn values exceed 1 by 0.01 at most.
  return { ...input, values: input.values.map((v) => low + ((high - low) * (v + 1.01)) / 2.02) };
}

/** Values within 0.03 of a kink move away from it, so that a central difference does not straddle it. */
export function awayFrom(kinks: readonly number[], input: CheckedInput): CheckedInput {
  const values = input.values.map((v) => {
    const near = kinks.find((kink) => Math.abs(v - kink) < 0.03);
    return near === undefined ? v : near + (v < near ? -0.05 : 0.05);
  });
  return { ...input, values };
}

/** Shapes of operands of a broadcast; one of them has the whole shape. */
export function broadcast(draw: Draw, count: number): number[][] {
  const full = draw.shape(0, 3, 3);
  const whole = draw.whole(0, count - 1);
  return Array.from({ length: count }, (_, i) => i === whole ? full : stretched(draw, full));
}

/** The shape of an operand that is stretched to a shape. */
export function stretched(draw: Draw, shape: readonly number[]): number[] {
  return shape.slice(draw.whole(0, shape.length)).map((size) => draw.one(size, 1));
}
