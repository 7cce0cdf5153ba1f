/**
 * Merges the factors of one module: side by side, or truncated without forming the dense sum (METHODS.md 10).
 *
 * @module
 */
import { gramSvd } from "../algebra/gram_svd.ts";
import { type Matrix, squaredNorm, transpose, zeros } from "../algebra/matrix.ts";
import type { Products } from "../algebra/products.ts";
import { jacobiSvd, type Svd } from "../algebra/svd.ts";
import { Problem } from "../problem.ts";
import { firstNonFinite } from "../tensor/codec.ts";
import type { AdapterModule } from "./adapter_modules.ts";
import { type Factors, readFactors } from "./factors.ts";
import { type GatheredModule, inputCount } from "./gather_modules.ts";
import { tallQr } from "./tall_qr.ts";
import { keptCount, type LowRank, splitRoots, sumOfSquares } from "./truncate.ts";

/** Cores up to this size are decomposed to full relative accuracy. */
const JACOBI = 192;

/**
 * `A = [c_1A_1; …]`, `B = [B_1|…]`, in double precision.
 *
 * @param propagate Whether NaN and infinity may pass.
 * @throws {Problem} `non-finite`, naming source and factor.
 */
export async function concatenated(
  gathered: GatheredModule,
  signal: AbortSignal,
  propagate = false,
): Promise<{ readonly b: Matrix; readonly a: Matrix }> {
  const { parts, outputs, rank } = gathered;
  const inputs = inputCount(gathered);
  const [b, a] = [zeros(outputs, rank), zeros(rank, inputs)];
  let at = 0;
  for (const { model, module, coefficient } of parts) {
    const factors = await readFactors(module, signal);
    if (!propagate) checkFinite(model, module, factors);
    for (let k = 0; k < module.rank; k++) {
      for (let j = 0; j < inputs; j++) {
        a.data[(at + k) * inputs + j] = coefficient * factors.a[k * inputs + j]!;
      }
      for (let i = 0; i < outputs; i++) {
        b.data[i * rank + at + k] = factors.b[i * module.rank + k]!;
      }
    }
    at += module.rank;
  }
  return { b, a };
}

function checkFinite(source: string, { a, b }: AdapterModule, factors: Factors): void {
  for (const [{ name }, values] of [[a, factors.a], [b, factors.b]] as const) {
    const index = firstNonFinite(values);
    if (index < 0) continue;
    throw new Problem(
      "non-finite",
      `Cannot merge the factor "${name}" as source "${source}" holds NaN or infinity there: ` +
        `the first such element is ${index}`,
      { source, tensor: name, index },
    );
  }
}

/** The best factors of the rank or energy that is to be kept. */
export async function truncated(
  gathered: GatheredModule,
  products: Products,
  signal: AbortSignal,
): Promise<LowRank> {
  const { pause } = products;
  const { b, a } = await concatenated(gathered, signal);
  const left = await tallQr(b, pause);
  const right = await tallQr(transpose(a), pause);
  const core = await products.multiply(left.r, right.r, { right: true });
  await pause();
  const svd = await decomposed(core, products);
  const total = Math.max(squaredNorm(core), sumOfSquares(svd.values));
  const isWhole = svd.values.length === Math.min(core.rows, core.columns);
  const count = keptCount(svd.values, isWhole ? sumOfSquares(svd.values) : total, gathered.keep);
  const roots = splitRoots(svd, count);
  const turned = await right.times(transpose(roots.a));
  return {
    b: await left.times(roots.b),
    a: transpose(turned),
    total: isWhole ? sumOfSquares(svd.values) : total,
    lost: isWhole
      ? sumOfSquares(svd.values, count)
      : Math.max(0, total - sumOfSquares(svd.values.subarray(0, count))),
  };
}

async function decomposed(core: Matrix, products: Products): Promise<Svd> {
  return Math.min(core.rows, core.columns) <= JACOBI
    ? jacobiSvd(core)
    : await gramSvd(core, products);
}

/** Bytes that merging a module holds at once, in double precision. */
export function combiningMemory(gathered: GatheredModule, truncates: boolean): number {
  const inputs = inputCount(gathered);
  const { outputs, rank } = gathered;
  const factors = (inputs + outputs) * rank;
  // Read and encoded in single precision; stacked, turned, its orthogonal factors and the result in double.
  return 8 * (factors + (truncates ? 4 * factors + 8 * rank * rank : factors));
}
