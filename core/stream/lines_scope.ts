/**
 * The factor of `lines` that is found over the whole model: `α = (‖Σδ_i‖₁ / ‖M‖₁) / n` (METHODS.md 7.4).
 *
 * @module
 */
import type { PlannedTensor } from "../merge/plan_types.ts";
import { mergeChunks } from "./chunks.ts";
import { graphCalls } from "./coefficients.ts";
import type { MergeContext, MergeTensor } from "./context.ts";
import { measure } from "./measures.ts";
import { passesPolicy } from "./prepare.ts";
import { reducePass } from "./reduce_pass.ts";

/** Takes the sums of all tensors whose factor is not given; undefined if there are none. 1 if nothing is merged. */
export async function linesAlpha(
  context: MergeContext,
  tensors: readonly PlannedTensor[],
): Promise<number | undefined> {
  const concerned = tensors.filter((tensor): tensor is MergeTensor =>
    tensor.work?.kind === "merge" && tensor.work.lines !== undefined &&
    tensor.work.lines.alpha === undefined
  );
  if (concerned.length === 0) return undefined;
  let [changed, total, models] = [0, 0, 1];
  for (const tensor of concerned.toSorted((a, b) => a.name < b.name ? -1 : 1)) {
    const { decision, inputs } = tensor.work;
    if (tensor.elements === 0 || !await passesPolicy(context, tensor)) continue;
    const chunks = mergeChunks(tensor, context.chunkElements);
    const { found, select } = await measure(context, tensor, chunks);
    const { sums } = await reducePass(context, tensor, {
      measure: { kind: "sums", graph: decision.graph, sums: 2 },
      chunks,
      call: graphCalls(
        tensor,
        decision.graph,
        (...values) => decision.coefficients(...values),
        found,
        "magnitudes",
      ),
      select: await select(),
    });
    for (let at = 0; at < sums.length; at += 2) {
      changed += sums[at]!;
      total += sums[at + 1]!;
    }
    models = Math.max(models, inputs.length);
  }
  return changed === 0 ? 1 : total / changed / models;
}
