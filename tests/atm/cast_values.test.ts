import { assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import fc from "fast-check";
import { CastFault, type Casting, castValues, mayFail } from "../../core/atm/cast_values.ts";
import type { ElementType } from "../../core/onnx/model.ts";

const PLAIN = { scale: 1, offset: 0 };

function bytesOf(values: { readonly buffer: ArrayBuffer }): Uint8Array<ArrayBuffer> {
  return new Uint8Array(values.buffer);
}

/** Numbers as the bytes of a stored type. */
function stored(type: ElementType, values: readonly number[]): Uint8Array<ArrayBuffer> {
  switch (type) {
    case "int64":
      return bytesOf(BigInt64Array.from(values, BigInt));
    case "uint64":
      return bytesOf(BigUint64Array.from(values, BigInt));
    case "int32":
      return bytesOf(Int32Array.from(values));
    case "uint32":
      return bytesOf(Uint32Array.from(values));
    case "int16":
      return bytesOf(Int16Array.from(values));
    case "uint16":
      return bytesOf(Uint16Array.from(values));
    case "int8":
      return bytesOf(Int8Array.from(values));
    case "float16":
      return bytesOf(Float16Array.from(values));
    case "float32":
      return bytesOf(Float32Array.from(values));
    case "float64":
      return bytesOf(Float64Array.from(values));
    default:
      return Uint8Array.from(values);
  }
}

const TYPES = [
  "bool",
  "uint8",
  "int8",
  "uint16",
  "int16",
  "uint32",
  "int32",
  "uint64",
  "int64",
  "float16",
  "float32",
  "float64",
] as const;

Deno.test("small numbers keep their value from every type to every type", () => {
  for (const from of TYPES) {
    for (const to of TYPES) {
      const values = from === "bool" || to === "bool" ? [0, 1, 1] : [0, 1, 100];
      const cast = castValues(stored(from, values), { from, to, ...PLAIN });
      assertEquals(Array.from(cast, Number), values, `${from} to ${to}`);
      assertEquals(bytesOf(cast), stored(to, values), `${from} to ${to}`);
    }
  }
});

// 0.1 and 1/255 are no float32, so that a scale in double precision would give other bits: the expected bits
// are those of numpy's (x.astype("f4") * np.float32(1 / 255) + np.float32(0.1)).view("u4").
Deno.test("scale and offset are applied in float32, as numpy does it", () => {
  const casting = { from: "uint8", to: "float32", scale: 1 / 255, offset: 0.1 } as const;
  const cast = castValues(Uint8Array.of(0, 1, 2, 77, 128, 200, 255), casting);
  assertEquals([...new Uint32Array(cast.buffer)], [
    1036831949,
    1037358293,
    1037884637,
    1053674958,
    1058675227,
    1063412324,
    1066192077,
  ]);
  const wide = castValues(stored("float64", [0.3]), { ...casting, from: "float64", to: "float64" });
  assertEquals([...wide], [0.3 * (1 / 255) + 0.1]);
  const half = castValues(stored("uint8", [77]), { ...casting, to: "float16" });
  assertEquals([...half], [Math.f16round(77 / 255 + 0.1)]);
});

Deno.test("bfloat16 is widened", () => {
  const bytes = bytesOf(Uint16Array.of(0x3f80, 0xc040));
  assertEquals([...castValues(bytes, { from: "bfloat16", to: "float32", ...PLAIN })], [1, -3]);
});

function fault(bytes: Uint8Array<ArrayBuffer>, casting: Casting): CastFault {
  const error = assertThrows(() => castValues(bytes, casting));
  assertInstanceOf(error, CastFault);
  return error;
}

Deno.test("what cannot be fed is refused with its place and value", () => {
  const cases: [ElementType, Casting["to"], number[], number, string, boolean][] = [
    ["float32", "float32", [1, NaN, Infinity], 1, "must be finite", true],
    ["float64", "float32", [1, 1e300], 1, "must be finite", true],
    ["float32", "float16", [65504, 65520], 1, "must be finite", true],
    ["float32", "int64", [1, -Infinity], 1, "must be finite", true],
    ["float32", "int64", [1, 2, 0.5], 2, "must be an integer", false],
    ["float64", "int32", [2 ** 31], 0, "must be in [-2147483648, 2147483647]", false],
    ["int64", "int32", [0, 2 ** 31], 1, "must be in [-2147483648, 2147483647]", false],
    ["int64", "uint8", [-1], 0, "must be in [0, 255]", false],
    ["uint8", "int8", [127, 128], 1, "must be in [-128, 127]", false],
    ["uint8", "bool", [1, 2], 1, "must be in [0, 1]", false],
    ["uint64", "int64", [2 ** 63], 0, "must be in [-9223372036854775808,", false],
  ];
  for (const [from, to, values, index, must, nonFinite] of cases) {
    const found = fault(stored(from, values), { from, to, ...PLAIN });
    assertEquals([found.index, found.nonFinite], [index, nonFinite], `${from} to ${to}`);
    assertEquals(found.must.startsWith(must), true, found.must);
    assertEquals(Number(found.value), values[index]);
  }
  const scaled = { from: "uint8", to: "float32", scale: 3e38, offset: 0 } as const;
  assertEquals(fault(Uint8Array.of(1, 2), scaled).index, 1);
});

Deno.test("casts that cannot fail are told from those that can", () => {
  const can = (from: ElementType, to: Casting["to"], scale = 1) =>
    mayFail({ from, to, scale, offset: 0 });
  assertEquals(can("uint8", "float32", 1 / 255), false);
  assertEquals(can("uint8", "int64"), false);
  assertEquals(can("int64", "int64"), false);
  assertEquals(can("int64", "float32"), false);
  assertEquals(can("float32", "float32"), true);
  assertEquals(can("int64", "int32"), true);
  assertEquals(can("uint64", "int64"), true);
  assertEquals(can("uint32", "float16"), true);
  assertEquals(can("uint8", "float32", 1e37), true);
});

Deno.test("a cast that cannot fail takes every value", () => {
  const casts = TYPES.flatMap((from) =>
    TYPES.map((to) => ({ from, to, ...PLAIN })).filter((casting) => !mayFail(casting))
  );
  const bytes = fc.uint8Array({ minLength: 16, maxLength: 16 });
  fc.assert(
    fc.property(fc.constantFrom(...casts), bytes, (casting, bytes) => {
      if (casting.from === "bool") bytes = bytes.map((byte) => byte % 2);
      castValues(new Uint8Array(bytes), casting);
    }),
    { seed: 1, numRuns: 300 },
  );
});
