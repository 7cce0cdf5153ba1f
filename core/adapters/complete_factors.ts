/**
 * Carries out the algebra of a merge of adapters and turns its plan into one that copies the results.
 *
 * @module
 */
import { engineProducts } from "../algebra/products.ts";
import { slices } from "../algebra/steps.ts";
import { layoutSafetensors } from "../checkpoint/write_safetensors.ts";
import { onnxRuntime } from "../engine/onnx_runtime.ts";
import type { Plan, PlannedTensor } from "../merge/plan_types.ts";
import { canonicalJson } from "../merge/provenance.ts";
import type { BlobWriter } from "../store/blobs.ts";
import { concatenated, truncated } from "./combine.ts";
import { CONFIG_KEY } from "./config_json.ts";
import { factorFile } from "./factor_file.ts";
import { type FactorPlan, plannedFactors } from "./factor_plan.ts";
import { adapterConfig, type WrittenModule } from "./output_config.ts";
import { relativeError } from "./truncate.ts";

/** What a finished module is told with. */
interface ModuleError extends WrittenModule {
  readonly total: number;
  readonly lost: number;
}

/**
 * Computes every module, one in memory at a time.
 *
 * @param writer Takes the factors; they can be read until it is aborted.
 * @returns The plan of the result: exact shapes and size, metadata with configuration and errors.
 * @throws {Problem} `non-finite`, `insufficient-storage`, what sources throw; the signal's reason.
 */
export async function completeFactors(
  plan: Plan & { readonly factors: FactorPlan },
  writer: BlobWriter,
  signal: AbortSignal,
): Promise<Plan> {
  const { modules, truncates, form, facts } = plan.factors;
  const file = factorFile(writer);
  const done: ModuleError[] = [];
  // Costs nothing until the first product.
  const engine = onnxRuntime();
  const products = engineProducts(engine, slices(signal));
  try {
    for (const gathered of modules) {
      await products.pause();
      const made = truncates
        ? await truncated(gathered, products, signal)
        : { ...await concatenated(gathered, signal, form.propagate), total: 0, lost: 0 };
      const rank = made.a.rows;
      await file.add({ ...gathered, ...made, rank }, form);
      done.push({
        module: gathered.module,
        form: gathered.form,
        rank,
        total: made.total,
        lost: made.lost,
      });
    }
  } finally {
    await engine.close();
  }
  const stored = new Map((await file.seal()).map((tensor) => [tensor.name, tensor]));
  const written = modules.flatMap((gathered, i) => {
    const { rank, total, lost } = done[i]!;
    const statistics = {
      rank,
      ...(truncates ? { relative_error: relativeError(lost, total) } : {}),
    };
    return plannedFactors(gathered, rank, form.dtype).map((tensor): PlannedTensor => ({
      ...tensor,
      statistics,
      work: {
        kind: "copy",
        input: {
          model: gathered.parts[0]!.model,
          tensor: stored.get(tensor.name)!,
          kind: "task_vector",
        },
        compare: [],
      },
    }));
  });
  const tensors = [...written, ...plan.tensors.filter(({ action }) => action !== "merge")];
  const metadata = {
    ...plan.factors.metadata(tensors),
    [CONFIG_KEY]: adapterConfig(done, facts),
    ...(truncates ? errorsOf(done) : {}),
  };
  return {
    ...plan,
    tensors,
    metadata,
    bytesOut: layoutSafetensors(written, metadata).byteLength,
  };
}

/** The error of all modules together, and of each. */
function errorsOf(done: readonly ModuleError[]): Record<string, string> {
  const sum = (of: (module: ModuleError) => number) =>
    done.reduce((total, module) => total + of(module), 0);
  const modules = done.map(({ module, rank, lost, total }) => [
    module,
    { rank, relative_error: relativeError(lost, total) },
  ]);
  return {
    "amalgam.error": String(relativeError(sum(({ lost }) => lost), sum(({ total }) => total))),
    "amalgam.errors": canonicalJson(Object.fromEntries(modules)),
  };
}
