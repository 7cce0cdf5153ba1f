/**
 * The graph inputs of a chunk beside its data: coefficients, and segments for reductions.
 *
 * They are freed by hand: the collector lets 64 MB of buffers pile up per thread before it looks, which is
 * more than everything else that a merge holds.
 *
 * @module
 */
import type { Kernels } from "../tensor/kernels/mod.ts";
import { INPUT, perModelInput, singleInput } from "./chunk_graph.ts";
import type { ChunkInputs, GraphCall } from "./chunk_job.ts";
import { type ChunkMemory, floats } from "./chunk_memory.ts";
import type { EngineTensor } from "./engine.ts";
import type { Segments } from "./segments.ts";

/** Values in memory of their own. */
export type Numbers = Float32Array<ArrayBuffer> | Float64Array<ArrayBuffer>;

function numbers(double: boolean, count: number): Numbers {
  return double ? new Float64Array(count) : new Float32Array(count);
}

/** Graph inputs of one run. */
export interface Feeds {
  readonly inputs: Readonly<Record<string, EngineTensor>>;
  /** Frees what was made for this run. */
  release(): void;
}

/** Makes graph inputs for parts of a chunk. */
export interface FeedMaker {
  /** Those of the elements (or segments) `[from, to)`. */
  make(from: number, to: number): Feeds;
  /** Frees what was made for the chunk. */
  release(): void;
}

/** The values of one input of a graph. */
export interface CoefficientRows {
  readonly name: string;
  readonly size: number;
  /** Elements that the values are given for; absent: `size` values stand for all. */
  readonly width?: number;
  readonly data: Numbers;
}

/** Frees an array's memory now; it must have a buffer of its own. */
export function release(array: Numbers): void {
  array.buffer.transfer(0);
}

/** Coefficients as rows; those of vectors are repeated over the elements of theirs. */
export function coefficientRows(
  { coefficients, vectors }: GraphCall,
  { padded, count }: ChunkMemory,
  double: boolean,
): CoefficientRows[] {
  return Object.entries(coefficients).map(([name, { size, values }]) => {
    if (!vectors) return { name, size, data: double ? values : Float32Array.from(values) };
    const data = numbers(double, size * padded);
    const { along, length, offset } = vectors;
    for (let i = 0; i < size; i++) {
      const row = data.subarray(i * padded, i * padded + count);
      if (along === "columns") {
        for (let e = 0, at = offset; e < count; e++) {
          row[e] = values[at * size + i]!;
          if (++at === length) at = 0;
        }
      } else {
        for (let v = 0; v < values.length / size; v++) {
          const start = Math.max(v * length - offset, 0);
          row.fill(values[v * size + i]!, start, (v + 1) * length - offset);
        }
      }
    }
    return { name, size, width: padded, data };
  });
}

function namedFeeds({ name, size, width, data }: CoefficientRows): Record<string, EngineTensor> {
  const shape = width === undefined ? [1, size] : [size, width];
  return {
    [perModelInput(name)]: tensor(shape, data),
    [singleInput(name)]: tensor([1, width ?? 1], data),
  };
}

/** The coefficients of a whole tensor in float32. */
export function coefficientFeeds({ coefficients }: GraphCall): Record<string, EngineTensor> {
  return Object.assign(
    {},
    ...Object.entries(coefficients).map(([name, { size, values }]) =>
      namedFeeds({ name, size, data: Float32Array.from(values) })
    ),
  );
}

function tensor(shape: readonly number[], data: Numbers): EngineTensor {
  return { type: data instanceof Float64Array ? "float64" : "float32", shape, data };
}

/** Graph inputs from coefficients, expanded ones cut by `cut`, and further tensors of the run's own. */
function feedsOf(
  coefficients: readonly CoefficientRows[],
  cut: (values: Numbers, rows: number) => Numbers,
  width: number,
  others: Readonly<Record<string, EngineTensor>> = {},
): Feeds {
  const own = Object.values(others).flatMap(({ data }) =>
    data instanceof BigInt64Array ? [] : [data as Numbers]
  );
  const named = coefficients.map((rows) => {
    if (rows.width === undefined) return namedFeeds(rows);
    const data = cut(rows.data, rows.size);
    own.push(data);
    return namedFeeds({ ...rows, width, data });
  });
  return { inputs: Object.assign({}, others, ...named), release: () => own.forEach(release) };
}

/** Coefficients that were expanded belong to the chunk, others to all chunks. */
function releaseExpanded(coefficients: readonly CoefficientRows[]): void {
  for (const { width, data } of coefficients) if (width !== undefined) release(data);
}

/** The models, the base and the coefficients of pieces of a chunk, in memory of their own. */
export function pieceFeeds(
  kernels: Kernels,
  memory: ChunkMemory,
  call: GraphCall,
  double: boolean,
): FeedMaker {
  const { models, padded, x, base } = memory;
  const coefficients = coefficientRows(call, memory, double);
  return {
    make(from, to) {
      const width = to - from;
      const cut = (values: Numbers, rows: number) => {
        const piece = numbers(double, rows * width);
        for (let row = 0; row < rows; row++) {
          piece.set(values.subarray(row * padded + from, row * padded + to), row * width);
        }
        return piece;
      };
      const data = (offset: number, rows: number) =>
        tensor([rows, width], cut(floats(kernels, offset, rows * padded), rows));
      return feedsOf(coefficients, cut, width, {
        [INPUT.models]: data(x, models),
        [INPUT.base]: data(base, 1),
      });
    },
    release: () => releaseExpanded(coefficients),
  };
}

/** The models, the base and the coefficients of a whole chunk in float32, its data where it lies. */
export function wholeFeeds(kernels: Kernels, memory: ChunkMemory, call: GraphCall): Feeds {
  const { models, padded, x, base } = memory;
  const coefficients = coefficientRows(call, memory, false);
  const data = (offset: number, rows: number) =>
    tensor([rows, padded], floats(kernels, offset, rows * padded));
  return {
    inputs: {
      [INPUT.models]: data(x, models),
      [INPUT.base]: data(base, 1),
      ...Object.assign({}, ...coefficients.map(namedFeeds)),
    },
    release: () => releaseExpanded(coefficients),
  };
}

/** The operands of a reduction, rows of `padded` elements each. */
export interface Operands {
  readonly models: Float32Array<ArrayBuffer>;
  /** The models before selection; absent where nothing was selected. */
  readonly unselected?: Float32Array<ArrayBuffer>;
  readonly base: Float32Array<ArrayBuffer>;
}

/** Makes the graph inputs of segments: float64 `[rows, segments · width]`, zeros behind a segment's end. */
export function segmentFeeds(
  operands: Operands,
  call: GraphCall,
  memory: ChunkMemory,
  segments: Segments,
): FeedMaker {
  const { padded, models } = memory;
  const coefficients = coefficientRows(call, memory, true);
  const { width } = segments;
  return {
    make(from, to) {
      const total = (to - from) * width;
      const places = Array.from({ length: to - from }, (_, i) => segments.at(from + i));
      const cut = (values: Numbers, rows: number) => {
        const framed = new Float64Array(rows * total);
        for (let row = 0; row < rows; row++) {
          places.forEach(({ start, step, length }, i) => {
            const source = row * padded + start;
            const target = row * total + i * width;
            if (step === 1) framed.set(values.subarray(source, source + length), target);
            else for (let e = 0; e < length; e++) framed[target + e] = values[source + e * step]!;
          });
        }
        return framed;
      };
      const data = (values: Numbers, rows: number) => tensor([rows, total], cut(values, rows));
      const valid = new Float64Array(total);
      places.forEach(({ length }, i) => valid.fill(1, i * width, i * width + length));
      return feedsOf(coefficients, cut, total, {
        [INPUT.models]: data(operands.models, models),
        ...(operands.unselected ? { [INPUT.unselected]: data(operands.unselected, models) } : {}),
        [INPUT.base]: data(operands.base, 1),
        [INPUT.valid]: tensor([1, total], valid),
        [INPUT.segments]: {
          type: "int64",
          shape: [2],
          data: BigInt64Array.of(BigInt(to - from), BigInt(width)),
        },
      });
    },
    release: () => releaseExpanded(coefficients),
  };
}

/** Whether all models, and all models with the base, hold the same bits. */
export function allAgree(
  kernels: Kernels,
  { count, padded, x, base }: ChunkMemory,
  inputs: Pick<ChunkInputs, "base" | "kinds">,
): { agreed: boolean; agreedWithBase: boolean } {
  const words = (offset: number) =>
    new Uint32Array(floats(kernels, offset, count).buffer, offset, count);
  const first = words(x);
  const same = (other: Uint32Array) => {
    for (let i = 0; i < count; i++) if (first[i] !== other[i]) return false;
    return true;
  };
  let agreed = true;
  for (let i = 1; agreed && i < inputs.kinds.length; i++) agreed = same(words(x + i * padded * 4));
  return { agreed, agreedWithBase: agreed && inputs.base !== undefined && same(words(base)) };
}
