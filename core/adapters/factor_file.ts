/**
 * Keeps the factors of an adapter that is being made in a temporary file: how large they are is known only
 * when the last module is done, and the header of the result comes first.
 *
 * @module
 */
import type { Bytes, ByteSource } from "../checkpoint/byte_source.ts";
import type { StoredTensor } from "../checkpoint/checkpoint.ts";
import type { SafetensorsLayout } from "../checkpoint/write_safetensors.ts";
import type { Matrix } from "../algebra/matrix.ts";
import { Problem } from "../problem.ts";
import type { BlobWriter } from "../store/blobs.ts";
import { encodeFrom } from "../tensor/codec.ts";
import { type DType, DTYPES } from "../tensor/dtype.ts";
import { factorNames, type WrittenModule } from "./output_config.ts";

/** A finished module. */
export interface FactoredModule extends WrittenModule {
  /** Inputs, and the kernel of a convolution. */
  readonly inputs: readonly number[];
  /** `[rank, inputs]`. */
  readonly a: Matrix;
  /** `[outputs, rank]`. */
  readonly b: Matrix;
}

/** How values are written. */
export interface FactorForm {
  readonly dtype: DType;
  readonly saturate: boolean;
  /** Whether NaN and infinity may pass. */
  readonly propagate: boolean;
}

/** Factors on their way into a file. */
export interface FactorFile {
  /** @throws {Problem} `non-finite` if a value is not finite, or not in the type; `insufficient-storage`. */
  add(module: FactoredModule, form: FactorForm): Promise<void>;
  /** All factors as tensors; valid until the writer is aborted. */
  seal(): Promise<StoredTensor[]>;
}

/** Bytes that are read and passed on at once. */
const PIECE = 1 << 20;

/** Starts a file; the writer is the caller's to abort. */
export function factorFile(writer: BlobWriter): FactorFile {
  const held: Omit<StoredTensor, "source">[] = [];
  let at = 0;
  const put = async (
    name: string,
    shape: readonly number[],
    { data }: Matrix,
    { dtype, saturate, propagate }: FactorForm,
  ) => {
    const values = Float32Array.from(data);
    const bytes = new Uint8Array(values.length * DTYPES[dtype].bytes);
    const strange = propagate ? -1 : values.findIndex((value) => !Number.isFinite(value));
    const index = strange >= 0 ? strange : encodeFrom(dtype, values, bytes, { saturate });
    if (index >= 0 && !propagate) {
      throw new Problem(
        "non-finite",
        `Cannot write the factor "${name}" as its values must be finite and in the range of ${dtype}: ` +
          `the first element that is not is ${index}`,
        { tensor: name, index },
      );
    }
    await writer.write(bytes);
    held.push({ name, dtype, shape, start: at, end: at + bytes.length });
    at += bytes.length;
  };
  return {
    async add(module, form) {
      const names = factorNames(module);
      const { rank, inputs, a, b } = module;
      const ones = inputs.slice(1).map(() => 1);
      await put(names.a, [rank, ...inputs], a, form);
      await put(names.b, [b.rows, rank, ...ones], b, form);
    },
    async seal() {
      const { source } = await writer.seal();
      return held.map((tensor) => ({ ...tensor, source }));
    },
  };
}

/** The bytes of a safetensors file of these tensors. */
export async function* factorBytes(
  { header, tensors }: SafetensorsLayout,
  stored: readonly StoredTensor[],
  signal: AbortSignal,
): AsyncGenerator<Bytes> {
  yield new Uint8Array(header);
  const byName = new Map(stored.map((tensor) => [tensor.name, tensor]));
  for (const { name } of tensors) {
    const { source, start, end } = byName.get(name)!;
    yield* piecesOf(source, start, end, signal);
  }
}

async function* piecesOf(
  source: ByteSource,
  start: number,
  end: number,
  signal: AbortSignal,
): AsyncGenerator<Bytes> {
  for (let from = start; from < end; from += PIECE) {
    yield await source.slice(from, Math.min(from + PIECE, end), signal);
  }
}
