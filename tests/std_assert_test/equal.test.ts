import { assert, assertFalse, assertThrows, equal } from "@std/assert";

class Point {
  constructor(readonly x: number) {}
}

function cyclic(value: number): Record<string, unknown> {
  const node: Record<string, unknown> = { value };
  node.self = node;
  return node;
}

const EQUAL: [unknown, unknown][] = [
  [0, -0],
  [NaN, NaN],
  ["a", "a"],
  [null, null],
  [[1, [2, { a: NaN }]], [1, [2, { a: NaN }]]],
  [{ a: 1, b: 2 }, { b: 2, a: 1 }],
  [Object.assign(Object.create(null), { a: 1 }), { a: 1 }],
  [new Float32Array([1, NaN, -0]), new Float32Array([1, NaN, 0])],
  [new BigInt64Array([1n]), new BigInt64Array([1n])],
  [new Uint8Array([1, 2]).buffer, new Uint8Array([1, 2]).buffer],
  [new Set([1, { a: 1 }]), new Set([{ a: 1 }, 1])],
  [new Map([[{ k: 1 }, [1]]]), new Map([[{ k: 1 }, [1]]])],
  [new Map([["a", 1], ["b", 2]]), new Map([["b", 2], ["a", 1]])],
  [new Date(5), new Date(5)],
  [new Date(NaN), new Date(NaN)],
  [/a/g, /a/g],
  [new URL("http://a/b"), new URL("http://a/b")],
  [new Point(1), new Point(1)],
  [new Error("a"), new Error("a")],
  [cyclic(1), cyclic(1)],
];

const DIFFERENT: [unknown, unknown][] = [
  [0, "0"],
  [0, null],
  [undefined, null],
  [1n, 1],
  [[1, 2], [1, 2, undefined]],
  // A hole is not undefined.
  [new Array(1), [undefined]],
  [{ a: undefined }, {}],
  [{ a: undefined }, { b: undefined }],
  [{}, []],
  [new Float32Array([1]), new Float64Array([1])],
  [new Float32Array([1]), new Float32Array([1, 2])],
  [new Uint8Array([1]).buffer, new Uint8Array([2]).buffer],
  [new Set([1]), new Set([2])],
  [new Set([{ a: 1 }, { a: 1 }]), new Set([{ a: 1 }, { a: 2 }])],
  [new Map([["a", 1]]), new Map([["a", 2]])],
  [new Date(5), new Date(6)],
  [/a/g, /a/i],
  [new Point(1), { x: 1 }],
  [new Error("a"), new Error("b")],
  [new Error("a"), new TypeError("a")],
  [cyclic(1), cyclic(2)],
  [() => 1, () => 1],
];

Deno.test("equal() accepts equal values of every kind", () => {
  for (const [left, right] of EQUAL) {
    assert(equal(left, right), Deno.inspect([left, right]));
    assert(equal(right, left), Deno.inspect([right, left]));
    assert(equal([{ left }], [{ left: right }]), Deno.inspect([left, right]));
  }
});

Deno.test("equal() tells different values of every kind apart", () => {
  for (const [left, right] of DIFFERENT) {
    assertFalse(equal(left, right), Deno.inspect([left, right]));
    assertFalse(equal(right, left), Deno.inspect([right, left]));
    assertFalse(equal([{ left }], [{ left: right }]), Deno.inspect([left, right]));
  }
});

Deno.test("equal() refuses to compare weak collections", () => {
  assertThrows(() => equal(new WeakSet(), new WeakSet()), TypeError, "Cannot compare");
});
