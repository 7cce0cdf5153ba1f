/**
 * Decodes and encodes on the device, so that two bytes an element travel for bfloat16 and float16.
 *
 * All is done on bits: a device may flush subnormal numbers to zero and round conversions as it likes, and needs the
 * feature `shader-f16` for halves of its own. So the values are those of the processor, on every device.
 *
 * @module
 */
import type { DType } from "../../tensor/dtype.ts";

/** Threads of a workgroup; each works on two elements, which share a word where they have 16 bits. */
export const GROUP = 256;

/** Element types that the programs know, by number. */
const FORMATS: Partial<Record<DType, number>> = { F32: 0, BF16: 1, F16: 2 };

/** The number of an element type; undefined if the programs do not know it. */
export function formatNumber(dtype: DType): number | undefined {
  return FORMATS[dtype];
}

/** Words of the parameters before those of the rows. */
export const PARAMETERS = 4;

/**
 * `decode`: `given` holds the rows as they are stored; `parameters` are the number of elements, that of pairs in a
 * decoded row, and two unused words, then each row's first word in `given` and its format. `faults[0]` becomes 1 if a
 * value is not finite.
 *
 * `encode`: `given` is the result; `parameters` are the number of elements, that of pairs, the format, and how many
 * rows of `rows` are models whose value is taken where all agree (0: none). `faults[1]` becomes 1 if a value is not
 * finite or leaves the range of the format.
 */
export const CODEC_SHADER = /* wgsl */ `
@group(0) @binding(0) var<storage, read> given: array<u32>;
@group(0) @binding(1) var<storage, read_write> rows: array<u32>;
@group(0) @binding(2) var<storage, read> parameters: array<u32>;
@group(0) @binding(3) var<storage, read_write> faults: array<atomic<u32>>;
@group(0) @binding(4) var<storage, read_write> encoded: array<u32>;

fn isFinite(bits: u32) -> bool {
  return (bits & 0x7f800000u) != 0x7f800000u;
}

fn fromHalf(half: u32) -> u32 {
  let sign = (half & 0x8000u) << 16u;
  let exponent = (half >> 10u) & 31u;
  let fraction = half & 0x3ffu;
  if (exponent == 31u) { return sign | 0x7f800000u | (fraction << 13u); }
  if (exponent > 0u) { return sign | ((exponent + 112u) << 23u) | (fraction << 13u); }
  if (fraction == 0u) { return sign; }
  let first = firstLeadingBit(fraction);
  return sign | ((first + 103u) << 23u) | ((fraction << (23u - first)) & 0x7fffffu);
}

/** To nearest, ties to even. */
fn toHalf(bits: u32) -> u32 {
  let sign = (bits >> 16u) & 0x8000u;
  let size = bits & 0x7fffffffu;
  if (size >= 0x477ff000u) { return sign | 0x7c00u; }
  if (size >= 0x38800000u) {
    let rebased = size - 0x38000000u;
    return sign | ((rebased + 0xfffu + ((rebased >> 13u) & 1u)) >> 13u);
  }
  if (size <= 0x33000000u) { return sign; }
  let fraction = (size & 0x7fffffu) | 0x800000u;
  let shift = 126u - (size >> 23u);
  let whole = fraction >> shift;
  let rest = fraction & ((1u << shift) - 1u);
  let middle = 1u << (shift - 1u);
  return sign | (whole + select(0u, 1u, rest > middle || (rest == middle && (whole & 1u) == 1u)));
}

@compute @workgroup_size(${GROUP})
fn decode(@builtin(global_invocation_id) id: vec3<u32>) {
  let count = parameters[0];
  let pairs = parameters[1];
  if (id.x >= pairs) { return; }
  let start = parameters[${PARAMETERS}u + 2u * id.y];
  let format = parameters[${PARAMETERS}u + 2u * id.y + 1u];
  for (var side = 0u; side < 2u; side++) {
    let element = 2u * id.x + side;
    var value = 0u;
    if (element < count) {
      if (format == 0u) {
        value = given[start + element];
      } else {
        let part = (given[start + id.x] >> (16u * side)) & 0xffffu;
        if (format == 1u) { value = part << 16u; } else { value = fromHalf(part); }
      }
      if (!isFinite(value)) { atomicStore(&faults[0], 1u); }
    }
    rows[2u * pairs * id.y + element] = value;
  }
}

@compute @workgroup_size(${GROUP})
fn encode(@builtin(global_invocation_id) id: vec3<u32>) {
  let count = parameters[0];
  let pairs = parameters[1];
  let format = parameters[2];
  let agreeing = parameters[3];
  if (id.x >= pairs) { return; }
  var word = 0u;
  for (var side = 0u; side < 2u; side++) {
    let element = 2u * id.x + side;
    if (element >= count) { break; }
    var value = given[element];
    if (agreeing > 0u) {
      let first = rows[element];
      var same = true;
      for (var row = 1u; row < agreeing; row++) {
        same = same && rows[2u * pairs * row + element] == first;
      }
      if (same) { value = first; }
    }
    var fits = isFinite(value);
    if (format == 0u) {
      encoded[element] = value;
    } else if (format == 1u) {
      let rounded = value + 0x7fffu + ((value >> 16u) & 1u);
      fits = fits && isFinite(rounded);
      word |= (rounded >> 16u) << (16u * side);
    } else {
      let half = toHalf(value);
      fits = fits && (half & 0x7c00u) != 0x7c00u;
      word |= half << (16u * side);
    }
    if (!fits) { atomicStore(&faults[1], 1u); }
  }
  if (format != 0u) { encoded[id.x] = word; }
}
`;
