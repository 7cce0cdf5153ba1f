// AssemblyScript, compiled by `deno task kernels` into ../kernels_wasm.ts. All pointers are byte offsets;
// every count is padded by the caller to a multiple of 8 elements of readable memory.

// Conversion of element types.

/** bfloat16 -> float32, exact. Answers 1 if any element is NaN or infinite. */
export function bf16ToF32(source: usize, target: usize, count: i32): i32 {
  const exponent = i32x4.splat(0x7f800000);
  let bad = i32x4.splat(0);
  for (let i = 0; i < count; i += 8) {
    const raw = v128.load(source + (<usize>i << 1));
    const low = i32x4.shl(i32x4.extend_low_i16x8_u(raw), 16);
    const high = i32x4.shl(i32x4.extend_high_i16x8_u(raw), 16);
    v128.store(target + (<usize>i << 2), low);
    v128.store(target + (<usize>i << 2), high, 16);
    bad = v128.or(bad, i32x4.eq(v128.and(low, exponent), exponent));
    bad = v128.or(bad, i32x4.eq(v128.and(high, exponent), exponent));
  }
  return v128.any_true(bad) ? 1 : 0;
}

/** Four float16 in lanes of 32 bits as float32; what is not finite stays so. */
@inline
export function halves(bits: v128): v128 {
  // As bits of a float32 the magnitude is 2^112 times too small, subnormal or not.
  const scaled = f32x4.mul(
    i32x4.shl(v128.and(bits, i32x4.splat(0x7fff)), 13),
    f32x4.splat(reinterpret<f32>((127 + 112) << 23)),
  );
  const infinite = v128.and(i32x4.gt_s(scaled, i32x4.splat(0x477fffff)), i32x4.splat(0x7f800000));
  return v128.or(v128.or(scaled, infinite), i32x4.shl(v128.and(bits, i32x4.splat(0x8000)), 16));
}

/** float16 -> float32, exact. Answers 1 if any element is NaN or infinite. */
export function f16ToF32(source: usize, target: usize, count: i32): i32 {
  const exponent = i32x4.splat(0x7f800000);
  let bad = i32x4.splat(0);
  for (let i = 0; i < count; i += 4) {
    const value = halves(v128.load16x4_u(source + (<usize>i << 1)));
    v128.store(target + (<usize>i << 2), value);
    bad = v128.or(bad, i32x4.eq(v128.and(value, exponent), exponent));
  }
  return v128.any_true(bad) ? 1 : 0;
}

/** float32 -> float16, to nearest, ties to even. Answers 1 if any element is not finite there: it is lost then. */
export function f32ToF16(source: usize, target: usize, count: i32): i32 {
  let largest = i32x4.splat(0);
  for (let i = 0; i < count; i += 8) {
    const at = source + (<usize>i << 2);
    const a = v128.load(at), b = v128.load(at, 16);
    const magnitude = i32x4.splat(0x7fffffff);
    largest = i32x4.max_s(largest, i32x4.max_s(v128.and(a, magnitude), v128.and(b, magnitude)));
    v128.store(target + (<usize>i << 1), i16x8.narrow_i32x4_u(toHalves(a), toHalves(b)));
  }
  return v128.any_true(i32x4.gt_s(largest, i32x4.splat(0x477fefff))) ? 1 : 0;
}

@inline
function toHalves(value: v128): v128 {
  const sign = v128.and(value, i32x4.splat(0x80000000));
  const magnitude = v128.xor(value, sign);
  // Beside 0.5, the last bit of a float32 is the least subnormal float16.
  const half = i32x4.splat(126 << 23);
  const subnormal = i32x4.sub(f32x4.add(magnitude, half), half);
  // Others lose 13 bits of the fraction and 112 of the exponent.
  const odd = v128.and(i32x4.shr_u(magnitude, 13), i32x4.splat(1));
  const rounded = i32x4.add(i32x4.add(magnitude, i32x4.splat((-112 << 23) + 0xfff)), odd);
  const small = i32x4.lt_s(magnitude, i32x4.splat(113 << 23));
  const bits = v128.bitselect(subnormal, i32x4.shr_u(rounded, 13), small);
  return v128.or(bits, i32x4.shr_u(sign, 16));
}

/** float32 -> bfloat16, to nearest, ties to even; NaN stays NaN (quiet). */
export function f32ToBf16(source: usize, target: usize, count: i32): void {
  const one = i32x4.splat(1);
  const bias = i32x4.splat(0x7fff);
  const quiet = i32x4.splat(0x400000);
  for (let i = 0; i < count; i += 8) {
    const a = v128.load(source + (<usize>i << 2));
    const b = v128.load(source + (<usize>i << 2), 16);
    let ra = i32x4.add(i32x4.add(a, bias), v128.and(i32x4.shr_u(a, 16), one));
    let rb = i32x4.add(i32x4.add(b, bias), v128.and(i32x4.shr_u(b, 16), one));
    ra = v128.bitselect(ra, v128.or(a, quiet), f32x4.eq(a, a));
    rb = v128.bitselect(rb, v128.or(b, quiet), f32x4.eq(b, b));
    v128.store(
      target + (<usize>i << 1),
      i16x8.narrow_i32x4_u(i32x4.shr_u(ra, 16), i32x4.shr_u(rb, 16)),
    );
  }
}

/** 1 if any float32 element is NaN or infinite. */
export function nonFinite(source: usize, count: i32): i32 {
  const exponent = i32x4.splat(0x7f800000);
  let bad = i32x4.splat(0);
  for (let i = 0; i < count; i += 4) {
    const bits = v128.and(v128.load(source + (<usize>i << 2)), exponent);
    bad = v128.or(bad, i32x4.eq(bits, exponent));
  }
  return v128.any_true(bad) ? 1 : 0;
}

/** Where all `models` rows of x (each `stride` bytes apart) hold the same bits, y takes that value. */
export function takeAgreed(
  y: usize, x: usize, models: i32, stride: usize, count: i32,
): void {
  for (let i = 0; i < count; i += 4) {
    const at = <usize>i << 2;
    const first = v128.load(x + at);
    let same = i32x4.splat(-1);
    for (let m = 1; m < models; m++) {
      same = v128.and(same, i32x4.eq(first, v128.load(x + at + <usize>m * stride)));
    }
    v128.store(y + at, v128.bitselect(first, v128.load(y + at), same));
  }
}
