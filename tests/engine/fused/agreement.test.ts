import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import type { Bytes } from "../../../core/checkpoint/byte_source.ts";
import { mapGraph, PER_MODEL, reduceGraph, SINGLE } from "../../../core/engine/chunk_graph.ts";
import type {
  ChunkInputs,
  MapJob,
  PackedCoefficients,
  ReduceJob,
  VectorLayout,
} from "../../../core/engine/chunk_job.ts";
import { createFusedEngine } from "../../../core/engine/fused/fused.ts";
import { onnxRuntime } from "../../../core/engine/onnx_runtime.ts";
import { createChunkRunner } from "../../../core/engine/run_chunk.ts";
import { METHODS } from "../../../core/methods/mod.ts";
import type { Layout } from "../../../core/onnx/operands.ts";
import { createKernels } from "../../../core/tensor/kernels/mod.ts";

/** Graphs that work in float64 though they are no sums. */
const DOUBLE = ["pcb/scores", "pcb/merge", "sce/variance"];
/** Graphs with functions that programs lack. */
const LEFT_TO_ONNX_RUNTIME: readonly string[] = [];

interface Named {
  readonly method: string;
  readonly graph: string;
  readonly layout: Layout;
  /** Coefficients that the graph reads, with the number of their values. */
  readonly sizes: ReadonlyMap<string, number>;
  readonly sums: number | undefined;
}

function layoutOf(models: number, base: boolean, double: boolean): Layout {
  const kinds = Array.from({ length: models }, () => "weights" as const);
  return { models, statistics: 0, base, kinds, double, expanded: false };
}

/** Every graph of every method that takes no statistics. */
function namedGraphs(): Named[] {
  return [...METHODS.values()].flatMap((method) =>
    Object.entries(method.graphs).flatMap(([graph, build]): Named[] => {
      const models = Math.max(1, Math.min(method.models.maximum, 3));
      const base = method.base !== "listed";
      const double = DOUBLE.includes(`${method.name}/${graph}`);
      let layout = layoutOf(models, base, double);
      let statistics = false;
      const watch = (x: Parameters<typeof build>[1]) => ({
        ...x,
        statistics: () => (statistics = true, x.weights()),
      });
      let model = mapGraph(layout, (builder, x) => build(builder, watch(x))).model();
      if (statistics) return [];
      const reduces = model.graph.inputs.some(({ name }) => name === "segments");
      if (reduces) {
        layout = { ...layout, double: true };
        model = reduceGraph(layout, build, 1).model();
      }
      const sizes = new Map<string, number>();
      for (const { name } of model.graph.inputs) {
        if (name.startsWith(PER_MODEL)) sizes.set(name.slice(PER_MODEL.length), models);
        if (name.startsWith(SINGLE)) sizes.set(name.slice(SINGLE.length), 1);
      }
      const sums = reduces ? sumsOf(method.name, graph, models) : undefined;
      return [{ method: method.name, graph, layout, sizes, sums }];
    })
  );
}

/** How many sums a graph gives. */
function sumsOf(method: string, graph: string, models: number): number {
  const layout = layoutOf(models, METHODS.get(method)!.base !== "listed", true);
  const compiled = createFusedEngine(createKernels()).compile(
    `${method}/${graph}`,
    layout,
    () => reduceGraph(layout, METHODS.get(method)!.graphs[graph]!, 1),
  );
  return compiled!.program.results.length;
}

const GRAPHS = namedGraphs();

Deno.test("all graphs are fused", () => {
  const left = GRAPHS.filter(({ method, graph, layout, sums }) => {
    const build = METHODS.get(method)!.graphs[graph]!;
    const compiled = createFusedEngine(createKernels()).compile(
      "key",
      layout,
      () => sums === undefined ? mapGraph(layout, build) : reduceGraph(layout, build, sums),
    );
    return compiled === undefined;
  });
  assertEquals(left.map(({ method, graph }) => `${method}/${graph}`).sort(), LEFT_TO_ONNX_RUNTIME);
});

/** Values on a coarse dyadic grid, whose sums and products are exact, or between its points. */
function numbers(count: number, seed: number, divisor = 256): Float32Array<ArrayBuffer> {
  const values = new Float32Array(count);
  let state = seed * 2654435761 >>> 0 || 1;
  for (let i = 0; i < count; i++) {
    state = Math.imul(state ^ state >>> 15, 0x2c1b3c6d) >>> 0;
    state = Math.imul(state ^ state >>> 12, 0x297a2d39) + i >>> 0;
    // Some zeros and some equal values, for signs and elections.
    values[i] = state % 11 === 0 ? 0 : Math.fround((state % 4001 - 2000) / divisor);
  }
  return values;
}

function bytesOf(values: Float32Array<ArrayBuffer>): Bytes {
  return new Uint8Array(values.buffer);
}

function inputsOf(
  { layout }: Named,
  count: number,
  seed: number,
  divisor?: number,
): ChunkInputs {
  return {
    count,
    models: layout.kinds.map((_, i) => ({
      dtype: "F32",
      bytes: bytesOf(numbers(count, seed + i, divisor)),
    })),
    ...(layout.base
      ? { base: { dtype: "F32" as const, bytes: bytesOf(numbers(count, seed + 9, divisor)) } }
      : {}),
    kinds: layout.kinds,
    finite: true,
  };
}

function coefficientsOf({ sizes }: Named, vectors: number, seed: number): PackedCoefficients {
  return Object.fromEntries(
    [...sizes].map(([name, size], i) => {
      const values = Float64Array.from(
        numbers(size * vectors, seed + 31 * i),
        (value) => Math.abs(value) / 16 + 0.125,
      );
      return [name, { size, values }];
    }),
  );
}

type Runner = ReturnType<typeof createChunkRunner>;

async function mapped(
  run: Runner,
  named: Named,
  count: number,
  seed: number,
  vectors?: VectorLayout,
  divisor?: number,
) {
  const touched = vectors === undefined
    ? 1
    : vectors.along === "columns"
    ? vectors.length
    : Math.ceil((count + vectors.offset) / vectors.length);
  const job: MapJob = {
    stage: "map",
    method: named.method,
    graph: named.graph,
    inputs: inputsOf(named, count, seed, divisor),
    coefficients: coefficientsOf(named, touched, seed),
    ...(vectors ? { vectors } : {}),
    double: named.layout.double,
    out: "F32",
    saturate: false,
    agreed: false,
  };
  const { bytes, fault } = await run(job);
  assertEquals(fault, undefined);
  return new Float32Array(bytes!.buffer, bytes!.byteOffset, count);
}

async function summed(
  run: Runner,
  named: Named,
  count: number,
  seed: number,
  vectors?: VectorLayout,
) {
  const touched = vectors ? Math.ceil((count + vectors.offset) / vectors.length) : 1;
  const job: ReduceJob = {
    stage: "reduce",
    method: named.method,
    graph: named.graph,
    inputs: inputsOf(named, count, seed),
    selections: named.layout.kinds.map(() => undefined),
    coefficients: coefficientsOf(named, touched, seed),
    ...(vectors ? { vectors } : {}),
    sums: named.sums!,
  };
  return (await run(job)).sums!;
}

const engine = onnxRuntime();
const runtime = createChunkRunner(engine, "wasm");
const fused = createChunkRunner(engine, "fused");

for (const named of GRAPHS) {
  const { method, graph, sums } = named;
  if (LEFT_TO_ONNX_RUNTIME.includes(`${method}/${graph}`)) continue;
  // A score of several rows is no map; its one user is the ranking of magnitudes.
  if (method === "pcb") continue;
  const name = `${method}/${graph}`;
  if (sums === undefined) {
    Deno.test(`${name} is mapped by both engines to the same bits where arithmetic is exact`, async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.integer({ min: 1, max: 700 }),
          fc.integer({ min: 1, max: 1e6 }),
          fc.option(
            fc.record({
              along: fc.constantFrom("rows" as const, "columns" as const),
              length: fc.integer({ min: 1, max: 300 }),
            }),
            { nil: undefined },
          ),
          async (count, seed, shape) => {
            const vectors = shape && { ...shape, offset: seed % shape.length, rows: 1000 };
            const expected = await mapped(runtime, named, count, seed, vectors);
            const actual = await mapped(fused, named, count, seed, vectors);
            for (let e = 0; e < count; e++) {
              assert(actual[e] === expected[e], `${e}: ${actual[e]}, expected ${expected[e]}`);
            }
          },
        ),
        { seed: 4, numRuns: 12 },
      );
    });
    Deno.test(`${name} is mapped by both engines alike up to rounding`, async () => {
      for (const [count, divisor] of [[500, 97], [4099, 311]] as const) {
        const expected = await mapped(runtime, named, count, 3, undefined, divisor);
        const actual = await mapped(fused, named, count, 3, undefined, divisor);
        const { models, base } = inputsOf(named, count, 3, divisor);
        const rows = [...models, ...(base ? [base] : [])].map(({ bytes }) =>
          new Float32Array(bytes.buffer)
        );
        for (let e = 0; e < count; e++) {
          const scale = rows.reduce((sum, row) => sum + Math.abs(row[e]!), Math.abs(expected[e]!));
          const apart = Math.abs(actual[e]! - expected[e]!);
          assert(apart <= 2 ** -22 * scale, `${e}: ${actual[e]}, ${expected[e]}`);
        }
      }
    });
  } else {
    Deno.test(`${name} is summed by both engines to 1e-13 of the magnitudes`, async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.integer({ min: 1, max: 9000 }),
          fc.integer({ min: 1, max: 1e6 }),
          fc.option(fc.integer({ min: 1, max: 5000 }), { nil: undefined }),
          async (count, seed, length) => {
            const vectors = length === undefined
              ? undefined
              : { along: "rows" as const, length, offset: 0, rows: 1000 };
            const whole = vectors ? Math.max(length!, count - count % length!) : count;
            const expected = await summed(runtime, named, whole, seed, vectors);
            const actual = await summed(fused, named, whole, seed, vectors);
            assertEquals(actual.length, expected.length);
            const scale = Math.max(...expected.map(Math.abs), 1);
            expected.forEach((value, i) =>
              assert(Math.abs(actual[i]! - value) <= 1e-13 * scale, `${i}: ${actual[i]}, ${value}`)
            );
          },
        ),
        { seed: 5, numRuns: 8 },
      );
    });
  }
}
