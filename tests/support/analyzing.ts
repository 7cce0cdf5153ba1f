/**
 * Analyses of small checkpoints without HTTP.
 *
 * @module
 */
import { engineProducts } from "../../core/algebra/products.ts";
import { slices } from "../../core/algebra/steps.ts";
import { type AnalysisProgress, analyze } from "../../core/analysis/analyze.ts";
import type { Analysis } from "../../core/analysis/answer.ts";
import { readAnalysis } from "../../core/analysis/document.ts";
import { workspaceEngine } from "../../core/analysis/workspace_engine.ts";
import { memorySource } from "../../core/checkpoint/memory_source.ts";
import { openSafetensors } from "../../core/checkpoint/open_safetensors.ts";
import type { ChunkExecutor } from "../../core/engine/chunk_job.ts";
import { onnxWorkspace } from "../../core/engine/onnx_workspace.ts";
import { inlineExecutor } from "../../core/engine/pool.ts";
import { makePlan } from "../../core/merge/plan.ts";
import { parseRecipe } from "../../core/merge/recipe.ts";
import { analysis } from "../../core/methods/analysis.ts";
import { checkpointBytes, type TestCheckpoint } from "./merging.ts";

const shared = inlineExecutor();
const NEVER = new AbortController().signal;

/** How a test analysis runs. */
export interface TestAnalysisOptions {
  readonly executor?: ChunkExecutor;
  readonly chunkElements?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: AnalysisProgress) => void;
  /** Further keys of the document. */
  readonly document?: Readonly<Record<string, unknown>>;
}

/** Analyzes checkpoints by name; the one named `base` is the base. */
export async function analyzed(
  checkpoints: Readonly<Record<string, TestCheckpoint | Uint8Array>>,
  { executor = shared, chunkElements = 4096, document = {}, signal = NEVER, onProgress }:
    TestAnalysisOptions = {},
): Promise<Analysis> {
  const models = Object.keys(checkpoints).filter((name) => name !== "base");
  const base = Object.hasOwn(checkpoints, "base") ? "base" : undefined;
  const { recipe, spectrum } = readAnalysis({
    ...(base ? { base_model: base } : {}),
    models: models.map((model) => ({ model })),
    ...document,
  });
  const methods = new Map([[analysis.name, analysis]]);
  const opened = await Promise.all(
    Object.entries(checkpoints).map(async ([name, checkpoint]) => {
      const bytes = checkpoint instanceof Uint8Array ? checkpoint : checkpointBytes(checkpoint);
      return [name, await openSafetensors(memorySource(bytes))] as const;
    }),
  );
  const plan = makePlan({
    recipe: parseRecipe(recipe, methods),
    methods,
    checkpoints: new Map(opened),
    version: "test",
  });
  const workspace = onnxWorkspace();
  const products = engineProducts(workspaceEngine(workspace), slices(signal));
  try {
    return await analyze(plan, base ? { base, models } : { models }, {
      executor,
      chunkElements,
      signal,
      ...(onProgress ? { onProgress } : {}),
      ...(spectrum > 0 ? { spectrum: { products, maximum: spectrum } } : {}),
    });
  } finally {
    await workspace.close();
  }
}
