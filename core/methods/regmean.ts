/**
 * `regmean` and `regmean_plus_plus`: every linear layer by regression on its inputs (Jin et al. 2022, arXiv
 * 2212.09849; Nguyen et al. 2025, arXiv 2508.03121; METHODS.md 9.2).
 *
 * @module
 */
import { NO_WEIGHT, SHARE, weightedMean } from "./fisher.ts";
import type { Decision, MergeMethod, TensorCase, TensorStatistics } from "./method.ts";
import { numberOf, numbersOf } from "./parameters.ts";

const FORMULA = "W = (Σ WᵢG̃ᵢ + κW̄)(Σ G̃ᵢ + κI)⁻¹, G̃ᵢ = wᵢ(alpha·Gᵢ + (1 − alpha)·diag Gᵢ), " +
  "κ = ridge·tr(Σ G̃ᵢ)/in, Gᵢ the mean of x·xᵀ over layer inputs; other tensors: weighted mean";

/** What both methods have in common. */
const COMMON = {
  base: "listed",
  models: { minimum: 1, maximum: Infinity },
  operand: "weights",
  parameters: {
    weight: SHARE,
    alpha: {
      scope: "global",
      type: "number",
      default: 0.9,
      minimum: 0,
      maximum: 1,
      description: "Factor on the entries off the diagonal of the matrices.",
    },
    ridge: {
      scope: "global",
      type: "number",
      default: 1e-6,
      minimum: 0,
      description: "Added to the diagonal, relative to its mean.",
    },
    bias: {
      scope: "global",
      type: "enum",
      default: "augment",
      values: ["augment", "mean"],
      description: "Solve for weight and bias together, or take the mean of biases.",
    },
    min_rows: {
      scope: "global",
      type: "integer",
      default: 256,
      minimum: 1,
      description: "Rows of layer inputs below which the report notes few-rows.",
    },
  },
  idempotent: () => true,
  decide,
  graphs: { average: (_graph, x) => x.weightedSum("weight", x.weights()) },
} satisfies Partial<MergeMethod>;

/** `W = (Σ W_i G̃_i + κ W̄)(Σ G̃_i + κ I)⁻¹`; all other tensors as their weighted mean. */
export const regmean: MergeMethod = {
  ...COMMON,
  name: "regmean",
  title: "Layer-wise regression on the inputs of every layer",
  paper: { title: "Dataless knowledge fusion (RegMean)", arxiv: "2212.09849", year: 2022 },
  guide: {
    formula: FORMULA,
    passes: "One pass; a layer of every model with its matrices in memory, in double precision.",
    use:
      "Models of one start, tuned for different tasks, with some hundred unlabelled rows of each; " +
      "POST /statistics with kind gram makes the statistics.",
    avoid:
      "Without rows that are like those of the tasks, and layers with very many inputs: their " +
      "matrices grow with the square.",
  },
  statistics: "gram",
};

/** The same, with layer inputs taken from the model whose earlier layers are merged already. */
export const regmeanPlusPlus: MergeMethod = {
  ...COMMON,
  name: "regmean_plus_plus",
  title: "RegMean with layer inputs of the merged model",
  paper: { title: "RegMean++", arxiv: "2508.03121", year: 2025 },
  guide: {
    formula: `${FORMULA}; Gᵢ from the model whose earlier layers are merged already`,
    passes: "One pass; a layer of every model with its matrices in memory, in double precision. " +
      "Gathering the statistics takes one forward pass per layer.",
    use:
      "As regmean, where layers depend much on those before; POST /statistics with kind gram and " +
      "this recipe as merge makes the statistics.",
    avoid: "Statistics of other models, weights or parameters: they belong to this very merge.",
  },
  statistics: "gram_along",
};

function decide(tensor: TensorCase): Decision {
  const { global, statistics } = tensor;
  const shares = numbersOf(tensor, "weight");
  if (shares.every((share) => share === 0)) return NO_WEIGHT;
  if (shares.length === 1) return { action: "copy", from: 0, reason: "identity" };
  if (!statistics) return weightedMean(shares, ["no-statistics"]);
  const [first] = statistics as [TensorStatistics];
  const layer = layerOf(first);
  const isSame = statistics.every(({ axis }) => axis === first.axis);
  if (!layer || !isSame) {
    return {
      action: "refuse",
      message:
        `Cannot merge as the matrix of the layer's inputs must be [in, in] for a weight of shape [${
          (first.weight ?? []).join(", ")
        }], one more with a bias, and alike in all models: current value is [${
          first.shape.join(", ")
        }]`,
    };
  }
  const augmented = global.bias === "augment" && first.augmented === true && layer.hasOnes;
  const fewest = Math.min(...statistics.map(({ rows = Infinity }) => rows));
  const notes = fewest < numberOf(global, "min_rows") ? ["few-rows"] : [];
  if (first.part === "bias" && !augmented) return weightedMean(shares, ["bias-mean"]);
  return {
    action: "solve",
    part: first.part ?? "weight",
    axis: layer.axis,
    units: layer.units,
    size: layer.size,
    groups: layer.groups,
    augmented,
    shares,
    alpha: numberOf(global, "alpha"),
    ridge: numberOf(global, "ridge"),
    notes,
  };
}

/** How the matrix fits the weight; undefined if it does not. */
function layerOf({ shape, weight = [], axis }: TensorStatistics) {
  const [groups, rows, columns] = shape.length === 3 ? shape : [1, ...shape];
  if (shape.length < 2 || shape.length > 3 || rows !== columns || weight.length < 2) {
    return undefined;
  }
  const inner = weight.slice(1).reduce((product, size) => product * size, 1);
  const fits = (size: number) => rows === size || rows === size + 1;
  if (axis !== 0 && fits(inner) && weight[0]! % groups! === 0) {
    const layer = { axis: 1 as const, units: weight[0]!, size: inner };
    return { ...layer, groups: groups!, hasOnes: rows === inner + 1 };
  }
  const [size, units] = weight as [number, number];
  if (axis === 1 || weight.length !== 2 || groups !== 1 || !fits(size)) return undefined;
  return { axis: 0 as const, units, size, groups, hasOnes: rows === size + 1 };
}
