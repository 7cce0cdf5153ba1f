/**
 * `karcher`: the Riemannian centre of mass of the models' directions (mergekit cites arXiv 2603.04972;
 * METHODS.md 3.5).
 *
 * @module
 */
import { gramOf } from "./gram.ts";
import type { MergeMethod } from "./method.ts";
import { numberOf, sum } from "./parameters.ts";

/** Models whose norm is below this share of the largest are left out. */
const NEGLIGIBLE = 1e-12;
/** Angles whose sine is below this give no tangent. */
const LEAST_SINE = 1e-12;

/** The centre as coefficients of the models. */
interface Centre {
  readonly shares: readonly number[];
  readonly iterations: number;
  readonly residual: number;
  /** How near a step's length came to the tolerance, relative to it, and the length of the mean direction. */
  readonly nearest: number;
  readonly start: number;
  /** Whether the directions cancel, so that the iteration starts from the first of them. */
  readonly cancels: boolean;
}

/**
 * Sums in float32 do where the mean direction is longer than `start` and no step is as near to the tolerance as
 * `nearest`, relative to it: one more or less would be another result.
 */
const SETTLED = { start: 0.3, nearest: 0.01 } as const;

/** `y = u·(1/n) Σ ‖x_i‖` with u the mean of the directions on the sphere. */
export const karcher: MergeMethod = {
  name: "karcher",
  title: "Riemannian mean of the models' directions, times their mean norm",
  paper: {
    title: "Riemannian centre of mass, as cited by mergekit",
    arxiv: "2603.04972",
    year: 2026,
  },
  guide: {
    formula: "y = u·(1/n)·Σ‖xᵢ‖, u the point of the unit sphere with Σ log_u(xᵢ/‖xᵢ‖) = 0",
    passes: "Two passes, one of them for dot products; the iteration runs on n coefficients " +
      "without data.",
    use: "Several models of equal standing, as a generalisation of slerp at ½.",
    avoid: "Models that need weights, or whose directions are nearly opposite.",
  },
  base: "listed",
  models: { minimum: 1, maximum: Infinity },
  operand: "weights",
  parameters: {
    max_iter: {
      scope: "global",
      type: "integer",
      default: 10,
      minimum: 1,
      maximum: 1000,
      description: "The largest number of iterations.",
    },
    tol: {
      scope: "global",
      type: "number",
      default: 1e-5,
      exclusiveMinimum: 0,
      description: "The iteration stops at a step shorter than this.",
    },
  },
  idempotent: () => true,
  decide({ models, global, compat }) {
    const count = models.length;
    if (count === 1) return { action: "copy", from: 0, reason: "identity" };
    const [tolerance, limit] = [numberOf(global, "tol"), numberOf(global, "max_iter")];
    const find = (products: Float64Array) => centre(products, count, { tolerance, limit, compat });
    return {
      action: "merge",
      measures: [{
        kind: "sums",
        graph: "products",
        sums: count * count,
        settled(products) {
          const { start, nearest } = find(products);
          return start > SETTLED.start && nearest > SETTLED.nearest;
        },
      }],
      graph: "combine",
      coefficients: (products) => ({ share: find(products!).shares }),
      statistics(products) {
        const { iterations, residual, cancels } = find(products!);
        return { iterations, residual, start: cancels ? "first-model" : "mean" };
      },
    };
  },
  graphs: {
    products: (_graph, x) => x.gram(x.weights(), x.layout.models),
    combine: (_graph, x) => x.weightedSum("share", x.weights()),
  },
};

interface Options {
  readonly tolerance: number;
  readonly limit: number;
  readonly compat: boolean;
}

/** Iterates on the coefficients of unit vectors, whose products are all that is needed. */
function centre(products: Float64Array, count: number, options: Options): Centre {
  const { tolerance, limit, compat } = options;
  const { norms, cosine } = gramOf(products, count);
  const least = compat ? tolerance : NEGLIGIBLE * Math.max(...norms);
  const kept = norms.flatMap((norm, i) => norm > least ? [i] : []);
  if (kept.length === 0) {
    const shares = norms.map(() => 0);
    return { shares, iterations: 0, residual: 0, nearest: 0, start: 0, cancels: false };
  }
  const product = (u: readonly number[], v: readonly number[]) =>
    Math.max(sum(u.flatMap((a, i) => v.map((b, k) => a * b * cosine(kept[i]!, kept[k]!)))), 0);
  const length = (u: readonly number[]) => Math.sqrt(product(u, u));
  const share = 1 / kept.length;

  let u = kept.map(() => share);
  const start = length(u);
  const cancels = start < tolerance;
  u = cancels ? kept.map((_, i) => Number(i === 0)) : u.map((a) => a / start);
  let residual = 0;
  let nearest = Infinity;
  let iterations = 0;
  while (iterations < limit) {
    iterations++;
    const step = tangent(u);
    residual = length(step);
    nearest = Math.min(nearest, Math.abs(residual / tolerance - 1));
    if (residual < tolerance) break;
    const [along, aside] = [Math.cos(residual), Math.sin(residual) / residual];
    const next = u.map((a, i) => along * a + aside * step[i]!);
    const size = length(next);
    u = next.map((a) => a / size);
  }
  const scale = sum(norms) / count;
  const shares = norms.map(() => 0);
  kept.forEach((model, i) => shares[model] = scale * u[i]! / norms[model]!);
  return { shares, iterations, residual, nearest, start, cancels };

  /** The mean of the logarithms at u. */
  function tangent(u: readonly number[]): number[] {
    const total = kept.map(() => 0);
    for (const [i, model] of kept.entries()) {
      const products = sum(u.map((a, k) => a * cosine(kept[k]!, model)));
      const c = Math.min(Math.max(products, -1), 1);
      const angle = Math.acos(c);
      const sine = Math.sin(angle);
      if (angle < tolerance || sine <= LEAST_SINE) continue;
      const factor = share * angle / sine;
      u.forEach((a, k) => total[k]! -= factor * c * a);
      total[i]! += factor;
    }
    return total;
  }
}
