import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import type { Bytes } from "../../../core/checkpoint/byte_source.ts";
import type {
  ChunkInputs,
  ChunkSelections,
  KeyCut,
  MapJob,
} from "../../../core/engine/chunk_job.ts";
import { onnxRuntime } from "../../../core/engine/onnx_runtime.ts";
import { createChunkRunner } from "../../../core/engine/run_chunk.ts";
import { rowCuts } from "../../../core/engine/row_cuts.ts";
import { decodeTo, encodeFrom } from "../../../core/tensor/codec.ts";
import { DTYPES } from "../../../core/tensor/dtype.ts";

const run = createChunkRunner(onnxRuntime(), "fused");

type Stored = "BF16" | "F16" | "F32";
type Kind = "weights" | "task_vector";

/** One model of a chunk. */
interface Case {
  readonly dtype: Stored;
  readonly kind: Kind;
  /** Elements whose magnitudes are the bounds of the cut, and how many of the equal ones are inside. */
  readonly cut?: readonly [element: number, quota: number];
  readonly without?: readonly [element: number, quota: number];
}

function encoded(dtype: Stored, values: Float32Array): Bytes {
  const bytes = new Uint8Array(values.length * DTYPES[dtype].bytes);
  encodeFrom(dtype, values, bytes, { saturate: false });
  return bytes;
}

function decoded(dtype: Stored, bytes: Bytes): Float32Array {
  const values = new Float32Array(bytes.length / DTYPES[dtype].bytes);
  decodeTo(dtype, bytes, values);
  return values;
}

/** Values of some magnitudes: of few, so that every tile has equal ones, or of so many that most tiles have none. */
function values(count: number, seed: number, magnitudes = 41): Float32Array {
  return Float32Array.from({ length: count }, (_, i) => {
    const mixed = Math.imul(i + 1, 2654435761) ^ Math.imul(seed + 1, 40503);
    return ((mixed >>> 8) % magnitudes - Math.floor(magnitudes / 2)) / 16;
  });
}

const keyOf = (difference: number) =>
  new Uint32Array(new Float32Array([difference]).buffer)[0]! & 0x7fffffff;

/** Which keys are inside a cut: those above, and the first ones of the equal. */
function inside(keys: readonly number[], { key, quota }: KeyCut): boolean[] {
  let left = quota;
  return keys.map((each) => each > key || (each === key && left-- > 0));
}

function mapJob(inputs: ChunkInputs): MapJob {
  const { length } = inputs.kinds;
  const filled = (size: number, value: number) => ({
    size,
    values: new Float64Array(size).fill(value),
  });
  return {
    stage: "map",
    method: "ties",
    graph: "elect:unsigned:same:weights",
    inputs,
    coefficients: {
      scale: filled(length, 0.5),
      weight: filled(length, 0.5),
      bound: filled(1, 0.25),
      lambda: filled(1, 1),
    },
    double: false,
    out: "F32",
    saturate: false,
    agreed: false,
  };
}

/** The job, and the same with what is dropped written into its rows, all in float32. */
function jobs(
  count: number,
  cases: readonly Case[],
  base: Stored | undefined,
  magnitudes = 41,
): { readonly cut: MapJob; readonly plain: MapJob; readonly takes: boolean } {
  const origin = base && decoded(base, encoded(base, values(count, 99, magnitudes)));
  const stored = cases.map(({ dtype }, i) => encoded(dtype, values(count, i, magnitudes)));
  const selections: ChunkSelections = cases.map(({ dtype, kind, cut, without }, i) => {
    if (!cut) return undefined;
    const keys = keysOf(decoded(dtype, stored[i]!), kind === "weights" ? origin : undefined);
    const bound = ([element, quota]: readonly [number, number]): KeyCut => ({
      key: keys[element % count]!,
      quota,
    });
    return {
      kind: "threshold",
      cut: bound(cut),
      ...(without ? { without: bound(without) } : {}),
    };
  });
  const kept = cases.map(({ dtype, kind }, i): Float32Array => {
    const row = decoded(dtype, stored[i]!);
    const selection = selections[i];
    if (selection?.kind !== "threshold") return row;
    const from = kind === "weights" ? origin : undefined;
    const keys = keysOf(row, from);
    const first = inside(keys, selection.cut);
    // The second cut looks at what the first one left.
    const left = row.map((value, e) => first[e] ? value : from?.[e] ?? 0);
    const second = selection.without && inside(keysOf(left, from), selection.without);
    return left.map((value, e) => second?.[e] ? from?.[e] ?? 0 : value);
  });
  const inputs = (rows: ChunkInputs["models"], from?: ChunkInputs["base"]): ChunkInputs => ({
    count,
    models: rows,
    ...(from ? { base: from } : {}),
    kinds: cases.map(({ kind }) => kind),
    finite: true,
  });
  const cut = {
    ...mapJob(inputs(
      cases.map(({ dtype }, i) => ({ dtype, bytes: stored[i]! })),
      base && { dtype: base, bytes: encoded(base, origin!) },
    )),
    selections,
  };
  const plain = mapJob(inputs(
    kept.map((row) => ({ dtype: "F32", bytes: encoded("F32", row) })),
    origin && { dtype: "F32", bytes: encoded("F32", origin) },
  ));
  return { cut, plain, takes: rowCuts(cut, selections) !== undefined };
}

function keysOf(row: Float32Array, origin: Float32Array | undefined): number[] {
  return Array.from(row, (value, e) => keyOf(Math.fround(value - (origin?.[e] ?? 0))));
}

/** Of some magnitude there are about two thousand in the largest chunk. */
const quota = fc.oneof(fc.constant(0), fc.nat(9), fc.nat(2500), fc.constant(Infinity));
const bound = fc.option(fc.tuple(fc.nat(70_000), quota), { nil: undefined, freq: 4 });
const oneCase = fc.record({
  dtype: fc.constantFrom<Stored>("BF16", "F16", "F32"),
  kind: fc.constantFrom<Kind>("weights", "task_vector"),
  cut: bound,
  without: bound,
}).map(({ cut, without, ...rest }): Case => ({
  ...rest,
  ...(cut ? { cut } : {}),
  ...(cut && without ? { without } : {}),
}));

Deno.test("rows that are cut as they are read give what rows give from which elements were dropped", async () => {
  let taken = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(1, 3, 4, 5, 16_383, 16_384, 16_385, 40_001),
      fc.array(oneCase, { minLength: 1, maxLength: 4 }),
      fc.constantFrom<Stored>("BF16", "F16", "F32"),
      fc.constantFrom(41, 30_011),
      async (count, cases, base, magnitudes) => {
        const { cut, plain, takes } = jobs(count, cases, base, magnitudes);
        taken += Number(takes);
        assertEquals((await run(cut)).bytes, (await run(plain)).bytes);
      },
    ),
    { seed: 3, numRuns: 80 },
  );
  assert(taken > 35, `${taken}`);
});

Deno.test("the first of equal elements stay, though whole tiles have none of them", async () => {
  const count = 60_000;
  const [equal, larger] = [[20_000, 33_000, 33_001, 50_000], [3, 40_000]];
  for (const dtype of ["BF16", "F16", "F32"] as const) {
    for (const quota of [0, 1, 2, 3, 4]) {
      for (const isBand of [false, true]) {
        const row = new Float32Array(count);
        for (const at of equal) row[at] = -1;
        for (const at of larger) row[at] = 2;
        const inputs: ChunkInputs = {
          count,
          base: { dtype, bytes: encoded(dtype, new Float32Array(count)) },
          models: [{ dtype, bytes: encoded(dtype, row) }],
          kinds: ["weights"],
          finite: true,
        };
        const inner = { key: keyOf(1), quota };
        const cut = isBand ? { key: keyOf(0.5), quota: 0 } : inner;
        const selection = {
          kind: "threshold" as const,
          cut,
          ...(isBand ? { without: inner } : {}),
        };
        const job = { ...mapJob(inputs), selections: [selection] };
        const kept = isBand ? equal.slice(quota) : [...equal.slice(0, quota), ...larger];
        const { bytes } = await run(job);
        const found = [...decoded("F32", bytes!)].flatMap((value, at) => value === 0 ? [] : [at]);
        assertEquals(found, kept.sort((a, b) => a - b), `${dtype}, ${quota}, ${isBand}`);
      }
    }
  }
});

Deno.test("what is not finite is told though a cut drops it", async () => {
  for (const at of [0, 16_384, 20_000]) {
    for (const value of [NaN, Infinity]) {
      const { cut } = jobs(20_001, [
        { dtype: "F32", kind: "weights", cut: [1, Infinity], without: [2, Infinity] },
        { dtype: "BF16", kind: "task_vector", cut: [1, Infinity], without: [2, Infinity] },
      ], "BF16");
      for (const row of [0, 1]) {
        const models = cut.inputs.models.map((input, i) => {
          if (i !== row) return input;
          const { dtype } = input as { readonly dtype: Stored };
          const changed = decoded(dtype, input.bytes);
          changed[at] = value;
          return { dtype, bytes: encoded(dtype, changed) };
        });
        const { fault } = await run({ ...cut, inputs: { ...cut.inputs, models } });
        assertEquals(fault, { input: row, element: at, found: 1 });
      }
    }
  }
});
