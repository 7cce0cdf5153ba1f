import { assert } from "@std/assert";
import { emitProgram } from "../../../core/engine/fused/emit.ts";
import { PARAMETERS } from "../../../core/engine/fused/parameters.ts";
import { decodedFormat } from "../../../core/engine/fused/formats.ts";
import { createProgram, type Transcendental } from "../../../core/engine/fused/program.ts";

/** Sums `f(x_i)` for each x alone, so that the result keeps its 53 bits. */
function evaluate(operation: Transcendental, values: Float32Array): number[] {
  const builder = createProgram(true, false);
  const row = builder.add({ kind: "row", row: 0, unselected: false });
  const result = builder.add({ kind: "unary", operation, arg: row });
  const program = builder.finish([result], ["add"]);
  const memory = new WebAssembly.Memory({ initial: 16 });
  const module = new WebAssembly.Module(emitProgram(program, decodedFormat(1)));
  const run = new WebAssembly.Instance(module, { env: { memory } }).exports["run"] as (
    ...parameters: number[]
  ) => number;
  const input = new Float32Array(memory.buffer, 0, 2);
  const sum = new Float64Array(memory.buffer, 64, 1);
  return [...values].map((value) => {
    // One element is a tail: the other lane must not count.
    input[0] = value;
    const at = { count: 1, x: 0, y: 64 } as Record<string, number>;
    run(...PARAMETERS.map((name) => at[name] ?? 0));
    return sum[0]! - (operation === "exp" ? 1 : 0);
  });
}

Deno.test("exponentials are right to two units in the last place over their whole range", () => {
  const values = Float32Array.from({ length: 4001 }, (_, i) => (i - 2000) * 0.35);
  evaluate("exp", values).forEach((actual, i) => {
    const exact = Math.exp(values[i]!);
    // The empty lane adds e^0 = 1, which takes bits from small results.
    const scale = exact + 1;
    assert(Math.abs(actual - exact) <= 4.5e-16 * scale, `${values[i]}: ${actual}, ${exact}`);
  });
});

Deno.test("hyperbolic tangents are right to a few units in the last place, where they are small too", () => {
  const values = Float32Array.from({ length: 6000 }, (_, i) => (i - 3000) ** 3 * 1e-9);
  evaluate("tanh", values).forEach((actual, i) => {
    const exact = Math.tanh(values[i]!);
    assert(
      Math.abs(actual - exact) <= 2e-15 * Math.abs(exact),
      `${values[i]}: ${actual}, ${exact}`,
    );
  });
});

Deno.test("logarithms are right to two units in the last place", () => {
  const values = Float32Array.from({ length: 3000 }, (_, i) => Math.exp((i - 1500) * 0.057));
  const near = Float32Array.from({ length: 1000 }, (_, i) => 1 + (i - 500) * 2 ** -16);
  for (const set of [values, near]) {
    const both = new Float32Array(set.length * 2).fill(1);
    set.forEach((value, i) => both[2 * i] = value);
    evaluatePairs(both).forEach((actual, i) => {
      const exact = Math.log(set[i]!);
      assert(
        Math.abs(actual - exact) <= 4.5e-16 * Math.max(Math.abs(exact), 2 ** -20),
        `${set[i]}: ${actual}, ${exact}`,
      );
    });
  }
});

/** Logarithms of the first of every pair; the second is 1, whose logarithm adds nothing. */
function evaluatePairs(pairs: Float32Array): number[] {
  const builder = createProgram(true, false);
  const row = builder.add({ kind: "row", row: 0, unselected: false });
  const program = builder.finish(
    [builder.add({ kind: "unary", operation: "log", arg: row })],
    ["add"],
  );
  const memory = new WebAssembly.Memory({ initial: 4 });
  const module = new WebAssembly.Module(emitProgram(program, decodedFormat(1)));
  const run = new WebAssembly.Instance(module, { env: { memory } }).exports["run"] as (
    ...parameters: number[]
  ) => number;
  new Float32Array(memory.buffer, 128, pairs.length).set(pairs);
  const sum = new Float64Array(memory.buffer, 64, 1);
  return Array.from({ length: pairs.length / 2 }, (_, i) => {
    const at = { count: 2, x: 128 + 8 * i, y: 64 } as Record<string, number>;
    run(...PARAMETERS.map((name) => at[name] ?? 0));
    return sum[0]!;
  });
}
