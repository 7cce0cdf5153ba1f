/**
 * Extracts a LoRA adapter from a task vector: the best factors of every matrix, and what is lost by them.
 *
 * @module
 */
import { engineProducts } from "../algebra/products.ts";
import { slices } from "../algebra/steps.ts";
import { type Matrix, transpose } from "../algebra/matrix.ts";
import type { Checkpoint } from "../checkpoint/checkpoint.ts";
import { layoutSafetensors } from "../checkpoint/write_safetensors.ts";
import { onnxRuntime } from "../engine/onnx_runtime.ts";
import type { MemoryBudget } from "../memory_budget.ts";
import { matchesGlob, selectTensors } from "../merge/select_tensors.ts";
import { Problem } from "../problem.ts";
import type { BlobWriter } from "../store/blobs.ts";
import { DTYPES, elementCount } from "../tensor/dtype.ts";
import { VERSION } from "../version.ts";
import type { ModuleForm } from "./adapter_modules.ts";
import { CONFIG_KEY } from "./config_json.ts";
import { factored, factoringMemory } from "./extract_matrix.ts";
import type { ExtractionDocument } from "./extraction_document.ts";
import { factorBytes, factorFile } from "./factor_file.ts";
import { adapterConfig, type WrittenModule } from "./output_config.ts";
import { type Deltas, openDeltas } from "./read_delta.ts";
import { relativeError } from "./truncate.ts";

/** One module of the adapter. */
export interface ExtractedModule {
  readonly name: string;
  readonly module: string;
  readonly rank: number;
  readonly relative_error: number;
}

/** A tensor that the adapter does not have. */
export interface LeftOut {
  readonly name: string;
  readonly reason: "unselected" | "not-a-matrix" | "not-a-weight" | "integer" | "unchanged";
  /** Its share of the squared norm of the whole task vector. */
  readonly norm_share: number;
}

/** What is told of an extraction. */
export interface Extraction {
  /** The largest rank. */
  readonly rank: number;
  readonly modules: readonly ExtractedModule[];
  /** Of the matrices that the adapter has. */
  readonly relative_error: number;
  /** Of the whole task vector: what was left out counts as lost. */
  readonly overall_error: number;
  readonly left_out: readonly LeftOut[];
  readonly config: Readonly<Record<string, unknown>>;
}

/** What an extraction works with. */
export interface ExtractionContext {
  readonly checkpoints: ReadonlyMap<string, Checkpoint>;
  /** Takes the factors; it is the caller's to abort when the bytes were read. */
  readonly writer: BlobWriter;
  readonly memory?: MemoryBudget;
  readonly signal: AbortSignal;
  readonly onModule?: (module: ExtractedModule) => void;
}

const WEIGHT = ".weight";

/**
 * Extracts an adapter.
 *
 * @returns What was found, and the bytes of the adapter as a safetensors file.
 * @throws {Problem} What sources and tensors are at fault with; `invalid-recipe` if no matrix is left;
 * `too-large`, `too-many` for want of memory. The signal's reason.
 */
export async function extractAdapter(
  document: ExtractionDocument,
  { checkpoints, writer, memory, signal, onModule }: ExtractionContext,
) {
  const deltas = openDeltas(document, checkpoints);
  const { selects } = selectTensors(document);
  const file = factorFile(writer);
  const form = { dtype: document.dtype, saturate: false, propagate: false };
  const written: WrittenModule[] = [];
  const modules: ExtractedModule[] = [];
  const leftOut: { name: string; reason: LeftOut["reason"]; norm: number }[] = [];
  let [total, lost, outside] = [0, 0, 0];
  const engine = onnxRuntime();
  const products = engineProducts(engine, slices(signal));
  try {
    for (const { name, dtype, shape } of deltas.tensors.values()) {
      await products.pause();
      const reason = DTYPES[dtype].kind !== "float"
        ? "integer"
        : !selects(name)
        ? "unselected"
        : shape.length < 2 || elementCount(shape) === 0
        ? "not-a-matrix"
        : name.endsWith(WEIGHT) && name.length > WEIGHT.length
        ? undefined
        : "not-a-weight";
      if (reason !== undefined) {
        const norm = reason === "integer" ? 0 : await squares(deltas, name, signal);
        leftOut.push({ name, reason, norm });
        outside += norm;
        continue;
      }
      const what = formOf(document, name, shape);
      const [rows, columns] = [shape[0]!, elementCount(shape.slice(1))];
      const need = factoringMemory(rows, columns, document.keep);
      const release = await memory?.take(need, `the matrix "${name}"`, signal);
      try {
        const matrix = await readMatrix(deltas, name, rows, columns, signal);
        const product = what.transposed ? transpose(matrix) : matrix;
        const made = await factored(product, document.keep, products);
        if (made.total === 0) {
          leftOut.push({ name, reason: "unchanged", norm: 0 });
          continue;
        }
        const module = name.slice(0, -WEIGHT.length);
        const rank = made.a.rows;
        const inputs = what.form === "convolution" ? shape.slice(1) : [product.columns];
        await file.add({ module, form: what.form, rank, inputs, a: made.a, b: made.b }, form);
        total += made.total;
        lost += made.lost;
        written.push({ module, form: what.form, rank });
        const found = { name, module, rank, relative_error: relativeError(made.lost, made.total) };
        modules.push(found);
        onModule?.(found);
      } finally {
        release?.();
      }
    }
  } finally {
    await engine.close();
  }
  if (modules.length === 0) throw nothingLeft(leftOut.length);
  const config = adapterConfig(written, {
    fanInFanOut: document.fanInFanOut,
    baseModel: document.baseModel,
    taskType: document.taskType,
  });
  const whole = total + outside;
  const extraction: Extraction = {
    rank: Math.max(...modules.map(({ rank }) => rank)),
    modules,
    relative_error: relativeError(lost, total),
    overall_error: relativeError(lost + outside, whole),
    left_out: leftOut.map(({ name, reason, norm }) => ({
      name,
      reason,
      norm_share: whole > 0 ? norm / whole : 0,
    })),
    config: JSON.parse(config),
  };
  const stored = await file.seal();
  const layout = layoutSafetensors(stored, {
    "format": "pt",
    "kind": "adapter",
    [CONFIG_KEY]: config,
    "amalgam.version": VERSION,
    "amalgam.error": String(extraction.relative_error),
    "amalgam.overall_error": String(extraction.overall_error),
  });
  return { extraction, bytes: factorBytes(layout, stored, signal) };
}

function formOf(
  { embeddings, fanInFanOut }: ExtractionDocument,
  name: string,
  shape: readonly number[],
): { readonly form: ModuleForm; readonly transposed: boolean } {
  if (shape.length > 2) return { form: "convolution", transposed: false };
  const isEmbedding = embeddings.some((glob) => matchesGlob(glob, name));
  return isEmbedding
    ? { form: "embedding", transposed: true }
    : { form: "linear", transposed: fanInFanOut };
}

async function readMatrix(
  deltas: Deltas,
  name: string,
  rows: number,
  columns: number,
  signal: AbortSignal,
): Promise<Matrix> {
  const data = new Float64Array(rows * columns);
  let at = 0;
  for await (const piece of deltas.pieces(name, signal)) {
    data.set(piece, at);
    at += piece.length;
  }
  return { rows, columns, data };
}

async function squares(deltas: Deltas, name: string, signal: AbortSignal): Promise<number> {
  let sum = 0;
  for await (const piece of deltas.pieces(name, signal)) {
    for (let i = 0; i < piece.length; i++) sum += piece[i]! * piece[i]!;
  }
  return sum;
}

function nothingLeft(count: number): Problem {
  const message = "Cannot extract an adapter as no selected tensor is the matrix of a module (a " +
    `weight of two or more dimensions) that changes: current number of other tensors is ${count}`;
  return new Problem("invalid-recipe", message, { errors: [{ path: "include", message }] });
}
