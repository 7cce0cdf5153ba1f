// AssemblyScript, compiled by `deno task kernels` into ../kernels_wasm.ts. All pointers are byte offsets;
// every count is padded by the caller to a multiple of 8 elements of readable memory.

// Sorting the magnitudes of a vector.

import { key } from "./histograms";

/** Longer vectors have so many keys in a bin that sorting digit by digit is faster. */
const LONGEST: i32 = 16384;
/** Bins are counted in 16 bits. */
const MOST_BINS: i32 = 16384;
/** Steps per element after which the order inside the bins is given up. */
const PATIENCE: i32 = 16;

/**
 * Sorts the magnitudes |x − b| of the vector x[origin + i·stride], the smallest first, of equal ones the last.
 * Answers where the `length` entries lie: u64, the key above the complement of i, of which `indexMask` tells the bits.
 *
 * `work` has room for 16·length + 2·MOST_BINS + 48 bytes.
 */
export function sortVector(
  x: usize, b: usize, origin: i32, length: i32, stride: i32, work: usize,
): usize {
  const from = work + (<usize>MOST_BINS << 1), to = from + (<usize>((length + 3) & ~3) << 3);
  let bins: i32 = 0;
  if (length <= LONGEST) {
    // A power of two that leaves a few elements for a bin.
    bins = min(max(64, 2 << (31 - clz(length))), MOST_BINS);
    memory.fill(work, 0, <usize>bins << 1);
  }
  if (stride == 1) loadRow(x, b, origin, length, bins, from);
  else loadColumn(x, b, origin, length, stride, bins, from);
  if (bins && sortBinned(from, to, length, bins, work)) return to;
  return sortByDigits(from, to, length, work);
}

/** The bits of an entry that hold the complement of its index. */
export function indexMask(length: i32): u32 {
  return length <= LONGEST ? 0xffff : 0xffffffff;
}

/** What a magnitude is multiplied with to get its bin: all that are finite go into the lowest where there is none. */
function scaleOf(most: u32, bins: i32): f32 {
  const scale = <f32>(bins - 1) / reinterpret<f32>(most);
  return bins && scale < <f32>Infinity ? scale : 0;
}

/** The bins of four magnitudes; of NaN the lowest. */
@inline
function binsOf(keys: v128, scale: v128, last: v128): v128 {
  return i32x4.min_s(i32x4.trunc_sat_f32x4_s(f32x4.mul(keys, scale)), last);
}

/**
 * Makes the entries of elements that lie side by side. Where there are bins, the one of each entry stands above the
 * 16 bits of its index, which changes no order: equal keys have one bin. May write 3 entries more.
 */
function loadRow(x: usize, b: usize, origin: i32, length: i32, bins: i32, to: usize): void {
  const magnitude = i32x4.splat(0x7fffffff);
  const xs = x + (<usize>origin << 2), bs = b + (<usize>origin << 2);
  const whole = length & ~3;
  let most = i32x4.splat(0);
  for (let i = 0; i < whole; i += 4) {
    const at = <usize>i << 2;
    most = i32x4.max_s(most, v128.and(f32x4.sub(v128.load(xs + at), v128.load(bs + at)), magnitude));
  }
  let top: u32 = max(
    max(i32x4.extract_lane(most, 0), i32x4.extract_lane(most, 1)),
    max(i32x4.extract_lane(most, 2), i32x4.extract_lane(most, 3)),
  );
  for (let i = whole; i < length; i++) top = max(top, key(xs, bs, i));
  const scale = f32x4.splat(scaleOf(top, bins));
  const last = i32x4.splat(bins - 1);
  let index = i32x4(-1, -2, -3, -4);
  if (bins) index = v128.and(index, i32x4.splat(0xffff));
  for (let i = 0; i < length; i += 4) {
    const at = <usize>i << 2, target = to + (<usize>i << 3);
    // What lies beyond the end is another vector's, and not counted.
    const keys = v128.and(f32x4.sub(v128.load(xs + at), v128.load(bs + at)), magnitude);
    let low = index;
    if (bins) {
      low = v128.or(index, i32x4.shl(binsOf(keys, scale, last), 16));
    }
    v128.store(target, v128.shuffle<i32>(low, keys, 0, 4, 1, 5));
    v128.store(target, v128.shuffle<i32>(low, keys, 2, 6, 3, 7), 16);
    index = i32x4.sub(index, i32x4.splat(4));
  }
}

/** As `loadRow`, for elements that lie `stride` apart. */
function loadColumn(
  x: usize, b: usize, origin: i32, length: i32, stride: i32, bins: i32, to: usize,
): void {
  let most: u32 = 0;
  for (let i = 0; i < length; i++) most = max(most, key(x, b, origin + i * stride));
  const scale = scaleOf(most, bins);
  for (let i = 0; i < length; i++) {
    const k = key(x, b, origin + i * stride);
    let low: u32 = ~(<u32>i);
    if (bins) {
      const bin = i32x4.extract_lane(binsOf(i32x4.splat(k), f32x4.splat(scale), i32x4.splat(bins - 1)), 0);
      low = (low & 0xffff) | (<u32>bin << 16);
    }
    store<u64>(to + (<usize>i << 3), (<u64>k << 32) | <u64>low);
  }
}

/** Puts every entry into its bin, and then in order; false if there are too many different keys in a bin. */
function sortBinned(from: usize, to: usize, length: i32, bins: i32, counts: usize): bool {
  const end = from + (<usize>length << 3);
  for (let entry = from; entry < end; entry += 8) {
    const at = counts + (<usize>load<u16>(entry, 2) << 1);
    store<u16>(at, load<u16>(at) + 1);
  }
  sumUpBins(counts, bins);
  // Of equal keys the last comes first.
  for (let last = end - 8; last >= from; last -= 8) {
    const entry = load<u64>(last);
    const at = counts + (<usize>(<u32>entry >> 15) & 0x1fffe);
    const next = load<u16>(at);
    store<u16>(at, next + 1);
    store<u64>(to + (<usize>next << 3), entry);
  }
  let left = PATIENCE * length;
  const stop = to + (<usize>length << 3);
  let before = load<u64>(to);
  for (let at = to + 8; at < stop; at += 8) {
    const entry = load<u64>(at);
    if (entry >= before) {
      before = entry;
      continue;
    }
    let hole = at;
    do {
      store<u64>(hole, load<u64>(hole - 8));
      hole -= 8;
      left--;
    } while (hole > to && load<u64>(hole - 8) > entry);
    store<u64>(hole, entry);
    if (left < 0) return false;
  }
  return true;
}

/** Where each bin begins, eight bins at a time. */
function sumUpBins(counts: usize, bins: i32): void {
  const zero = i32x4.splat(0);
  let before = zero;
  for (let at = counts, end = counts + (<usize>bins << 1); at < end; at += 16) {
    const found = v128.load(at);
    let sums = i16x8.add(found, v128.shuffle<i16>(zero, found, 7, 8, 9, 10, 11, 12, 13, 14));
    sums = i16x8.add(sums, v128.shuffle<i16>(zero, sums, 6, 7, 8, 9, 10, 11, 12, 13));
    sums = i16x8.add(sums, v128.shuffle<i16>(zero, sums, 4, 5, 6, 7, 8, 9, 10, 11));
    v128.store(at, i16x8.add(before, i16x8.sub(sums, found)));
    before = i16x8.add(before, v128.shuffle<i16>(sums, sums, 7, 7, 7, 7, 7, 7, 7, 7));
  }
}

/** Sorts by the four bytes of the keys. */
function sortByDigits(source: usize, spare: usize, length: i32, counts: usize): usize {
  let from = source, to = spare;
  memory.fill(counts, 0, 4096);
  for (let i = 0; i < length; i++) {
    const k = load<u32>(from + (<usize>i << 3), 4);
    count(counts, k & 255);
    count(counts + 1024, (k >> 8) & 255);
    count(counts + 2048, (k >> 16) & 255);
    count(counts + 3072, k >> 24);
  }
  // The first turn reads from the end, so that of equal keys the last comes first.
  let backwards = true;
  for (let digit = 0; digit < 4; digit++) {
    const starts = counts + (<usize>digit << 10);
    const shift: u64 = 32 + (digit << 3);
    sumUp(starts);
    for (let i = 0; i < length; i++) {
      const entry = load<u64>(from + (<usize>(backwards ? length - 1 - i : i) << 3));
      const at = starts + ((<usize>(entry >> shift) & 255) << 2);
      const next = load<u32>(at);
      store<u32>(at, next + 1);
      store<u64>(to + (<usize>next << 3), entry);
    }
    backwards = false;
    const other = from;
    from = to;
    to = other;
  }
  return from;
}

@inline
function count(counts: usize, digit: u32): void {
  const at = counts + (<usize>digit << 2);
  store<u32>(at, load<u32>(at) + 1);
}

/** Where each of the 256 values of a digit begins. */
function sumUp(counts: usize): void {
  let before: u32 = 0;
  for (let at = counts, end = counts + 1024; at < end; at += 4) {
    const found = load<u32>(at);
    store<u32>(at, before);
    before += found;
  }
}
