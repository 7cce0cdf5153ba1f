// AssemblyScript, compiled by `deno task kernels` into ../kernels_wasm.ts. All pointers are byte offsets;
// every count is padded by the caller to a multiple of 8 elements of readable memory.

// Sorting the magnitudes of a vector.

import { key } from "./histograms";

/** Bins for each power of two, at most, as a power of two; shorter vectors have fewer. */
const FINEST: u32 = 8;
/** Bins reach sixteen powers of two below the largest key; what is smaller falls into the lowest one. */
const BINS: u32 = 16 << FINEST;
/** Longer vectors have so many keys in a bin that sorting digit by digit is faster. */
const LONGEST: i32 = 16384;
/** Steps per element after which the order inside the bins is given up. */
const PATIENCE: i32 = 16;

/**
 * Sorts the magnitudes |x − b| of the vector x[origin + i·stride], the smallest first, of equal ones the last.
 * Answers where the `length` entries lie: u64, the key above the complement of i.
 *
 * `work` has room for 16·length + 4·BINS + 48 bytes.
 */
export function sortVector(
  x: usize, b: usize, origin: i32, length: i32, stride: i32, work: usize,
): usize {
  const from = work + (<usize>BINS << 2), to = from + (<usize>((length + 3) & ~3) << 3);
  const most = stride == 1 ? loadRow(x, b, origin, length, from) : loadColumn(x, b, origin, length, stride, from);
  if (length <= LONGEST && sortBinned(from, to, length, most, work)) return to;
  return sortByDigits(from, to, length, work);
}

/** Makes the entries of elements that lie side by side; answers the largest key. May write 3 entries more. */
function loadRow(x: usize, b: usize, origin: i32, length: i32, to: usize): u32 {
  const magnitude = i32x4.splat(0x7fffffff);
  let index = i32x4(-1, -2, -3, -4), most = i32x4.splat(0);
  for (let i = 0; i < length; i += 4) {
    const at = <usize>(origin + i) << 2, target = to + (<usize>i << 3);
    let keys = v128.and(f32x4.sub(v128.load(x + at), v128.load(b + at)), magnitude);
    if (i + 4 > length) {
      // What lies beyond the end is another vector's.
      const left = i32x4.splat(length - i);
      keys = v128.and(keys, i32x4.gt_s(left, i32x4(0, 1, 2, 3)));
    }
    most = i32x4.max_s(most, keys);
    v128.store(target, v128.shuffle<i32>(index, keys, 0, 4, 1, 5));
    v128.store(target, v128.shuffle<i32>(index, keys, 2, 6, 3, 7), 16);
    index = i32x4.sub(index, i32x4.splat(4));
  }
  return max(
    max(i32x4.extract_lane(most, 0), i32x4.extract_lane(most, 1)),
    max(i32x4.extract_lane(most, 2), i32x4.extract_lane(most, 3)),
  );
}

function loadColumn(
  x: usize, b: usize, origin: i32, length: i32, stride: i32, to: usize,
): u32 {
  let most: u32 = 0;
  for (let i = 0; i < length; i++) {
    const k = key(x, b, origin + i * stride);
    most = max(most, k);
    store<u64>(to + (<usize>i << 3), (<u64>k << 32) | <u64>~(<u32>i));
  }
  return most;
}

/** Puts every entry into its bin, and then in order; false if there are too many different keys in a bin. */
function sortBinned(from: usize, to: usize, length: i32, most: u32, bins: usize): bool {
  const bits = length >= 1024 ? FINEST : length >= 256 ? FINEST - 1 : FINEST - 3;
  const shift: u32 = 23 - bits, size: u32 = 16 << bits;
  const top = most >> shift, lowest: u32 = top < size ? 0 : top - size + 1;
  memory.fill(bins, 0, <usize>size << 2);
  for (let i = 0; i < length; i++) {
    const bin = load<u32>(from + (<usize>i << 3), 4) >> shift;
    count(bins, max(bin, lowest) - lowest);
  }
  sumUp(bins, top - lowest + 1);
  // Of equal keys the last comes first.
  for (let i = length - 1; i >= 0; i--) {
    const entry = load<u64>(from + (<usize>i << 3));
    const bin = <u32>(entry >> (32 + <u64>shift));
    place(bins, max(bin, lowest) - lowest, to, entry);
  }
  let left = PATIENCE * length;
  let before = load<u64>(to);
  for (let i = 1; i < length; i++) {
    const at = to + (<usize>i << 3);
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

/** Sorts by the four bytes of the keys. */
function sortByDigits(source: usize, spare: usize, length: i32, bins: usize): usize {
  let from = source, to = spare;
  memory.fill(bins, 0, 4096);
  for (let i = 0; i < length; i++) {
    const k = load<u32>(from + (<usize>i << 3), 4);
    count(bins, k & 255);
    count(bins + 1024, (k >> 8) & 255);
    count(bins + 2048, (k >> 16) & 255);
    count(bins + 3072, k >> 24);
  }
  // The first turn reads from the end, so that of equal keys the last comes first.
  let backwards = true;
  for (let digit = 0; digit < 4; digit++) {
    const counts = bins + (<usize>digit << 10);
    const shift: u64 = 32 + (digit << 3);
    sumUp(counts, 256);
    for (let i = 0; i < length; i++) {
      const entry = load<u64>(from + (<usize>(backwards ? length - 1 - i : i) << 3));
      place(counts, <u32>(entry >> shift) & 255, to, entry);
    }
    backwards = false;
    const other = from;
    from = to;
    to = other;
  }
  return from;
}

@inline
function count(bins: usize, bin: u32): void {
  const at = bins + (<usize>bin << 2);
  store<u32>(at, load<u32>(at) + 1);
}

/** Where each of the bins begins. */
function sumUp(bins: usize, size: u32): void {
  let before: u32 = 0;
  for (let bin: u32 = 0; bin < size; bin++) {
    const at = bins + (<usize>bin << 2);
    const found = load<u32>(at);
    store<u32>(at, before);
    before += found;
  }
}

/** Puts an entry at the next free place of its bin. */
@inline
function place(bins: usize, bin: u32, to: usize, entry: u64): void {
  const at = bins + (<usize>bin << 2);
  const next = load<u32>(at);
  store<u32>(at, next + 1);
  store<u64>(to + (<usize>next << 3), entry);
}
