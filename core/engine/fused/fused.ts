/**
 * The fused engine: a method's graph as one WebAssembly loop on the kernels' own memory.
 *
 * ONNX Runtime makes one pass over memory for every operator, and its inputs and outputs are copied in and out of
 * its heap; here every element is read once, worked on in registers, and written once. Both engines run the same
 * graphs; what programs lack is left to ONNX Runtime.
 *
 * @module
 */
import type { GraphBuilder } from "../../onnx/graph_builder.ts";
import type { Layout } from "../../onnx/operands.ts";
import type { Bytes } from "../../checkpoint/byte_source.ts";
import { DTYPES } from "../../tensor/dtype.ts";
import type { Kernels } from "../../tensor/kernels/mod.ts";
import type { GraphCall } from "../chunk_job.ts";
import { type ChunkMemory, stagingEnd } from "../chunk_memory.ts";
import { coefficientRows, release } from "../feeds.ts";
import type { Segments } from "../segments.ts";
import { emitProgram } from "./emit.ts";
import { readsExponentials } from "./exponentials.ts";
import { decodedFormat, type Format, formatKey } from "./formats.ts";
import { lowerGraph } from "./lower.ts";
import type { Program } from "./program.ts";

/** A compiled program; parameters as in `emit.ts`. */
export interface Compiled {
  readonly program: Program;
  readonly run: (...parameters: number[]) => number;
  /** Whether it is to be given a table of exponentials. */
  readonly readsExponentials: boolean;
}

/** The programs of one thread. */
export interface FusedEngine {
  /** The program of a graph; undefined if programs lack something that the graph uses. */
  compile(
    key: string,
    layout: Layout,
    graph: () => GraphBuilder,
    format?: Format,
  ): Compiled | undefined;
}

/** Vectors shorter than this are not worth a call each. */
export const SHORT = 64;
/** Programs that are kept; the oldest one goes beyond that. */
const MOST = 256;

/** An engine whose programs work on these kernels' memory. */
export function createFusedEngine({ memory }: Kernels): FusedEngine {
  const known = new Map<string, Compiled | undefined>();
  return {
    compile(key, layout, graph, format = decodedFormat(layout.models + layout.statistics)) {
      const full = `${key}/${layout.expanded}/${formatKey(format)}`;
      if (known.has(full)) return known.get(full);
      const program = lowerGraph(graph().model(), layout);
      const compiled = program && instantiate(program, format, memory);
      if (known.size === MOST) known.delete(known.keys().next().value!);
      known.set(full, compiled);
      return compiled;
    },
  };
}

function instantiate(program: Program, format: Format, memory: WebAssembly.Memory): Compiled {
  const module = new WebAssembly.Module(emitProgram(program, format));
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  return {
    program,
    run: exports["run"] as (...parameters: number[]) => number,
    readsExponentials: readsExponentials(program, format),
  };
}

/** What a graph is run on. */
export interface FusedRun {
  readonly engine: FusedEngine;
  readonly kernels: Kernels;
  readonly memory: ChunkMemory;
  readonly key: string;
  readonly layout: Layout;
  readonly graph: (layout: Layout) => GraphBuilder;
  readonly call: GraphCall;
}

/**
 * Maps or scores a chunk into float32 rows at `target`.
 *
 * @returns Whether it could; if not, nothing was done.
 */
export function fusedElementwise(run: FusedRun, target: number, free: number): boolean {
  const { engine, kernels, memory: { x, base, padded, count }, key, call } = run;
  const byVector = vectorsOf(call);
  const layout = byVector ? { ...run.layout, expanded: false } : run.layout;
  const compiled = engine.compile(key, layout, () => run.graph(layout));
  if (!compiled) return false;
  const stride = 4 * padded;
  const part = (from: number, to: number, coefficients: number, coefficientStride: number) =>
    compiled.run(
      to - from,
      x + 4 * from,
      stride,
      x + 4 * from,
      base + 4 * from,
      coefficients,
      coefficientStride,
      target + 4 * from,
      stride,
      0,
    );
  if (!byVector) {
    const coefficientStride = placeCoefficients(run, compiled.program, free);
    part(0, padded, free, coefficientStride);
    return true;
  }
  const { length, offset } = byVector;
  for (let from = 0, vector = 0; from < count; vector++) {
    const to = Math.min((vector + 1) * length - offset, count);
    placeVector(kernels, compiled.program, call, vector, free);
    // Rounded up, the last one reaches into the padding; the others into what comes next.
    part(from, to, free, 0);
    from = to;
  }
  return true;
}

/**
 * Maps a chunk that is not cut into vectors into elements of the output's type.
 *
 * @returns Undefined if programs lack something, or a result is not finite or does not fit.
 */
export function fusedEncoded(
  run: FusedRun,
  { out, agreeing }: Pick<Format, "out" | "agreeing">,
  target: number,
  free: number,
): Bytes | undefined {
  const { engine, kernels, layout, memory: { x, base, padded, count }, key } = run;
  const decoded = decodedFormat(layout.models + layout.statistics);
  const format = { ...decoded, out, agreeing, watched: true, seen: true };
  const compiled = engine.compile(key, layout, () => run.graph(layout), format);
  if (!compiled) return undefined;
  placeVector(kernels, compiled.program, run.call, 0, free);
  if (compiled.run(count, x, 4 * padded, x, base, free, 0, target, 0, 0) !== 0) return undefined;
  return new Uint8Array(
    kernels.memory.buffer as ArrayBuffer,
    target,
    count * DTYPES[out].bytes,
  ).slice();
}

/**
 * Sums of every segment, `[segments, sums]`.
 *
 * @param unselected The models' rows before selections, if there are selections.
 * @returns Undefined if programs lack something.
 */
export function fusedSums(
  run: FusedRun,
  segments: Segments,
  unselected: Float32Array | undefined,
): Float64Array<ArrayBuffer> | undefined {
  const { engine, kernels, memory, key, call } = run;
  const { x, base, padded } = memory;
  if (call.vectors?.along === "columns") return undefined;
  const layout = { ...run.layout, expanded: false };
  const compiled = engine.compile(key, layout, () => run.graph(layout));
  if (!compiled?.program.reductions) return undefined;
  const { program } = compiled;
  const count = program.results.length;
  const free = freeSpace(memory);
  const y = free + 8 * program.coefficients.length;
  const before = y + 8 * count;
  kernels.reserve(before + (unselected?.byteLength ?? 0));
  if (unselected) {
    new Float32Array(kernels.memory.buffer, before, unselected.length).set(unselected);
  }
  const sums = new Float64Array(segments.count * count);
  let placed = -1;
  for (let i = 0; i < segments.count; i++) {
    const { start, length } = segments.at(i);
    const vector = call.vectors ? segments.vector(i) : 0;
    if (vector !== placed) placeVector(kernels, program, call, placed = vector, free);
    const at = 4 * start;
    compiled.run(length, x + at, 4 * padded, before + at, base + at, free, 0, y, 0, 0);
    sums.set(new Float64Array(kernels.memory.buffer, y, count), i * count);
  }
  return sums;
}

/** How a chunk falls into rows that are worth a call each. */
function vectorsOf({ vectors }: GraphCall) {
  return vectors?.along === "rows" && vectors.length >= SHORT ? vectors : undefined;
}

/** Places one vector's coefficients as single values. */
export function placeVector(
  kernels: Kernels,
  { coefficients, double }: Program,
  call: Pick<GraphCall, "coefficients">,
  vector: number,
  at: number,
): void {
  kernels.reserve(at + 8 * coefficients.length);
  const Numbers = double ? Float64Array : Float32Array;
  const place = new Numbers(kernels.memory.buffer as ArrayBuffer, at, coefficients.length);
  coefficients.forEach(({ name, index }, slot) => {
    const { size, values } = call.coefficients[name]!;
    place[slot] = values[vector * size + index]!;
  });
}

/** Places the coefficients of a chunk, single or element by element; answers how far apart rows lie. */
function placeCoefficients(
  { kernels, memory, call }: FusedRun,
  program: Program,
  at: number,
): number {
  if (!call.vectors) {
    placeVector(kernels, program, call, 0, at);
    return 0;
  }
  const { coefficients, double } = program;
  const bytes = double ? 8 : 4;
  const stride = bytes * memory.padded;
  kernels.reserve(at + coefficients.length * stride);
  const rows = new Map(
    coefficientRows(call, memory, double).map((each) => [each.name, each.data]),
  );
  coefficients.forEach(({ name, index }, slot) => {
    const data = rows.get(name)!.subarray(index * memory.padded, (index + 1) * memory.padded);
    const Numbers = double ? Float64Array : Float32Array;
    new Numbers(kernels.memory.buffer as ArrayBuffer, at + slot * stride, memory.padded).set(data);
  });
  for (const data of rows.values()) release(data);
  return stride;
}

/** Where a run may place what it needs: behind the chunk, aligned. */
export function freeSpace(memory: ChunkMemory, extra = 0): number {
  return Math.ceil((stagingEnd(memory) + extra) / 16) * 16;
}
