import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { decodeTo, encodeFrom, firstNonFinite } from "../../core/tensor/codec.ts";
import { type DType, DTYPES } from "../../core/tensor/dtype.ts";
import { Problem } from "../../core/problem.ts";

/** Bits of exponent and mantissa, and the largest finite code; all types have a sign bit before. */
interface Format {
  readonly exponent: number;
  readonly mantissa: number;
  readonly infinities: boolean;
}

const FORMATS = {
  BF16: { exponent: 8, mantissa: 7, infinities: true },
  F16: { exponent: 5, mantissa: 10, infinities: true },
  F8_E5M2: { exponent: 5, mantissa: 2, infinities: true },
  F8_E4M3: { exponent: 4, mantissa: 3, infinities: false },
} as const satisfies Partial<Record<DType, Format>>;
type Small = keyof typeof FORMATS;
const SMALL = Object.keys(FORMATS) as Small[];

/** The definition: sign * 2^e * m. */
function valueOf(format: Format, code: number): number {
  const sign = (code >> (format.exponent + format.mantissa)) & 1 ? -1 : 1;
  const top = 2 ** format.exponent - 1;
  const e = (code >> format.mantissa) & top;
  const m = code & (2 ** format.mantissa - 1);
  const bias = 2 ** (format.exponent - 1) - 1;
  if (format.infinities && e === top) return m === 0 ? sign * Infinity : NaN;
  if (!format.infinities && e === top && m === 2 ** format.mantissa - 1) return NaN;
  const fraction = m / 2 ** format.mantissa;
  return sign * (e === 0 ? fraction * 2 ** (1 - bias) : (1 + fraction) * 2 ** (e - bias));
}

function allCodes(dtype: Small): Uint16Array<ArrayBuffer> | Uint8Array<ArrayBuffer> {
  return DTYPES[dtype].bytes === 2
    ? new Uint16Array(65536).map((_, i) => i)
    : new Uint8Array(256).map((_, i) => i);
}

function decodeAll(dtype: Small): Float32Array {
  const codes = allCodes(dtype);
  const out = new Float32Array(codes.length);
  decodeTo(dtype, new Uint8Array(codes.buffer), out);
  return out;
}

function encode(
  dtype: DType,
  values: number[],
  options = { saturate: false },
): { codes: number[]; at: number } {
  const floats = Float32Array.from(values);
  const width = DTYPES[dtype].bytes;
  const out = new Uint8Array(values.length * width);
  const at = encodeFrom(dtype, floats, out, options);
  const codes = width === 2 ? [...new Uint16Array(out.buffer)] : [...out];
  return { codes, at };
}

/** Nearest finite code by search over the definition, ties to the even code; beyond the range: null. */
function makeOracle(format: Format): (x: number) => number | null {
  const finite: number[] = [];
  const sign = 1 << (format.exponent + format.mantissa);
  for (let code = 0; code < sign; code++) {
    const value = valueOf(format, code);
    if (Number.isFinite(value)) finite.push(value);
  }
  const last = finite.length - 1;
  const step = finite[last]! - finite[last - 1]!;
  return (x) => {
    const magnitude = Math.abs(x);
    const negative = x < 0 || Object.is(x, -0) ? sign : 0;
    let low = 0;
    let high = last;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (finite[middle]! <= magnitude) low = middle;
      else high = middle - 1;
    }
    const below = finite[low]!;
    const above = low === last ? below + step : finite[low + 1]!;
    // Exact: all of them are float32 values not too far apart, or one is 0.
    const toBelow = magnitude - below;
    const toAbove = above - magnitude;
    const up = toAbove < toBelow || (toAbove === toBelow && low % 2 === 1);
    const code = up ? low + 1 : low;
    return code > last ? null : negative | code;
  };
}

Deno.test("every code of every small type decodes to sign * 2^e * m", () => {
  for (const dtype of SMALL) {
    const decoded = decodeAll(dtype);
    const expected = Float32Array.from(allCodes(dtype), (code) => valueOf(FORMATS[dtype], code));
    for (let code = 0; code < decoded.length; code++) {
      assert(Object.is(decoded[code], expected[code]), `${dtype} ${code}: ${decoded[code]}`);
    }
  }
});

Deno.test("every code survives decoding and encoding, NaN as NaN", () => {
  for (const dtype of SMALL) {
    for (const saturate of [false, true]) {
      const codes = allCodes(dtype);
      const values = decodeAll(dtype);
      const out = new Uint8Array(codes.byteLength);
      assertEquals(encodeFrom(dtype, values, out, { saturate }), -1);
      const back = codes instanceof Uint16Array ? new Uint16Array(out.buffer) : out;
      for (let code = 0; code < codes.length; code++) {
        if (back[code] === code) continue;
        assert(Number.isNaN(valueOf(FORMATS[dtype], code)), `${dtype} ${code}`);
        assert(Number.isNaN(valueOf(FORMATS[dtype], back[code]!)), `${dtype} ${code}`);
      }
    }
  }
});

Deno.test("half-way points round to the even neighbour, and points beside them to the nearer one", () => {
  const bits = new Int32Array(1);
  const float = new Float32Array(bits.buffer);
  for (const dtype of SMALL) {
    const format = FORMATS[dtype];
    const magnitudes = 2 ** (format.exponent + format.mantissa);
    const values: number[] = [];
    const expected: number[] = [];
    for (let code = 0; code + 1 < magnitudes; code++) {
      const low = valueOf(format, code);
      const high = valueOf(format, code + 1);
      if (!Number.isFinite(low) || !Number.isFinite(high)) continue;
      const middle = (low + high) / 2;
      float[0] = middle;
      assertEquals(float[0], middle);
      const at = bits[0]!;
      for (const [offset, nearest] of [[-1, code], [0, code + code % 2], [1, code + 1]] as const) {
        bits[0] = at + offset;
        values.push(float[0]!, -float[0]!);
        expected.push(nearest, nearest | magnitudes);
      }
    }
    const found = encode(dtype, values);
    assertEquals(found.at, -1);
    assertEquals(found.codes.findIndex((code, i) => code !== expected[i]), -1, dtype);
  }
});

Deno.test("random floats encode to the code that an exhaustive search finds", () => {
  for (const dtype of SMALL) {
    const oracle = makeOracle(FORMATS[dtype]);
    const widths = fc.double({ noNaN: true, min: -1, max: 1 });
    const exponents = fc.integer({ min: -32, max: 20 });
    const anywhere = fc.float({ noNaN: true, noDefaultInfinity: true });
    const near = fc.tuple(widths, exponents).map(([x, e]) => Math.fround(x * 2 ** e));
    fc.assert(
      fc.property(fc.oneof(near, anywhere), (x) => {
        const { codes: [code], at } = encode(dtype, [x]);
        const expected = oracle(x);
        assertEquals(at, expected === null ? 0 : -1);
        if (expected !== null) assertEquals(code, expected);
        else assert(!Number.isFinite(valueOf(FORMATS[dtype], code!)));
      }),
      { numRuns: 2000 },
    );
  }
});

Deno.test("the first overflow is reported, and saturation stores the largest finite value", () => {
  const bits = new Int32Array([0x7f7f7fff, 0x7f7f8000]);
  const [below, above] = new Float32Array(bits.buffer);
  const cases: (readonly [Small, number, number, number])[] = [
    ["BF16", below!, above!, 0x7f7f],
    ["F16", 65519.99609375, 65520, 0x7bff],
    ["F8_E4M3", 464, 464.000030517578125, 0x7e],
    ["F8_E5M2", 61439.99609375, 61440, 0x7b],
  ];
  for (const [dtype, fits, overflows, largest] of cases) {
    const { exponent, mantissa, infinities } = FORMATS[dtype];
    const sign = 1 << (exponent + mantissa);
    const infinity = infinities ? largest + 1 : 0x7f;
    const values = [NaN, Infinity, -Infinity, fits, -fits, -overflows, overflows, 1e38];
    const plain = encode(dtype, values);
    assertEquals(plain.at, 5);
    assertEquals(plain.codes.slice(1), [
      infinity,
      sign | infinity,
      largest,
      sign | largest,
      sign | infinity,
      infinity,
      dtype === "BF16" ? 0x7e96 : infinity,
    ]);
    const saturated = encode(dtype, values, { saturate: true });
    assertEquals(saturated.at, -1);
    assertEquals(saturated.codes.slice(1), [
      infinity,
      sign | infinity,
      largest,
      sign | largest,
      sign | largest,
      largest,
      dtype === "BF16" ? 0x7e96 : largest,
    ]);
    assert(Number.isNaN(valueOf(FORMATS[dtype], plain.codes[0]!)), dtype);
    assert(Number.isNaN(valueOf(FORMATS[dtype], saturated.codes[0]!)), dtype);
  }
});

Deno.test("a NaN whose payload lies in the lower half stays NaN in bfloat16", () => {
  const payloads = new Uint32Array([0x7f800001, 0xff800001, 0x7fffffff, 0xffffffff, 0x7fc00000]);
  const values = new Float32Array(payloads.buffer);
  const out = new Uint8Array(10);
  assertEquals(encodeFrom("BF16", values, out, { saturate: false }), -1);
  assertEquals([...new Uint16Array(out.buffer)], [0x7fc0, 0xffc0, 0x7fff, 0xffff, 0x7fc0]);
});

Deno.test("F32 keeps every bit and F64 is rounded once", () => {
  const bits = new Uint32Array([0x7f800001, 0x80000000, 1, 0xff800000, 0x3f800001]);
  const out = new Float32Array(5);
  decodeTo("F32", new Uint8Array(bits.buffer), out);
  assertEquals([...new Uint32Array(out.buffer)], [...bits]);
  const stored = new Uint8Array(20);
  assertEquals(encodeFrom("F32", out, stored, { saturate: false }), -1);
  assertEquals([...new Uint32Array(stored.buffer)], [...bits]);

  fc.assert(fc.property(fc.double(), (x) => {
    const one = new Float32Array(1);
    decodeTo("F64", new Uint8Array(Float64Array.of(x).buffer), one);
    assert(Object.is(one[0], Math.fround(x)));
    const wide = new Float64Array(1);
    assertEquals(encodeFrom("F64", one, new Uint8Array(wide.buffer), { saturate: false }), -1);
    assert(Object.is(wide[0], Math.fround(x)));
  }));
});

Deno.test("bytes and values may lie at any offset of their buffers", () => {
  for (const dtype of ["F64", "F32", ...SMALL] as const) {
    const width = DTYPES[dtype].bytes;
    for (let offset = 0; offset < 8; offset++) {
      const values = new Float32Array([7, 7, 1.5, -0.25, 0, 2]).subarray(2);
      const buffer = new Uint8Array(offset + 4 * width + 3).fill(0xaa);
      const bytes = buffer.subarray(offset, offset + 4 * width);
      encodeFrom(dtype, values, bytes, { saturate: false });
      const out = new Float32Array(7).fill(9);
      decodeTo(dtype, bytes, out.subarray(2, 6));
      assertEquals([...out], [9, 9, 1.5, -0.25, 0, 2, 9]);
      assert(buffer.subarray(0, offset).every((byte) => byte === 0xaa));
      assert(buffer.subarray(offset + 4 * width).every((byte) => byte === 0xaa));
    }
  }
});

Deno.test("the first value that is not finite is found", () => {
  assertEquals(firstNonFinite(new Float32Array(0)), -1);
  assertEquals(firstNonFinite(Float32Array.of(0, -3.4028234663852886e38, 1e-45)), -1);
  assertEquals(firstNonFinite(Float32Array.of(0, 1, -Infinity, NaN)), 2);
  assertEquals(firstNonFinite(new Float32Array([Infinity, 1, NaN]).subarray(1)), 1);
});

Deno.test("integers and disagreeing lengths are refused", () => {
  const one = new Float32Array(1);
  for (const dtype of ["I64", "I32", "I16", "I8", "U64", "U32", "U16", "U8", "BOOL"] as const) {
    const bytes = new Uint8Array(DTYPES[dtype].bytes);
    const error = assertThrows(() => decodeTo(dtype, bytes, one), Problem, dtype);
    assertEquals(error.kind, "unsupported-dtype");
    assertThrows(() => encodeFrom(dtype, one, bytes, { saturate: false }), Problem, dtype);
  }
  assertThrows(() => decodeTo("F16", new Uint8Array(3), one), RangeError, "take 2 bytes");
  assertThrows(
    () => encodeFrom("F64", one, new Uint8Array(7), { saturate: false }),
    RangeError,
    "current value is 7",
  );
});
