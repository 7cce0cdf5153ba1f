// AssemblyScript, compiled by `deno task kernels` into ../kernels_wasm.ts.
// Conversion, selection and random masks on buffers in this module's memory.

export { bf16ToF32, f16ToF32, f32ToBf16, f32ToF16, nonFinite, takeAgreed } from "./convert";
export {
  dropFrom, dropWithQuota, keepFrom, keepScored, keepScoredFrom, keepWithQuota,
} from "./cuts";
export {
  countEqual, findEqual, findEqualBf16, findEqualF16, fineHistogram, histogram, listWindow, listWindowBf16,
  listWindowF16, sampleKeys,
} from "./histograms";
export { keepRandom } from "./random";
export { keepRanked } from "./ranks";
