import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import type { Bytes } from "../../../core/checkpoint/byte_source.ts";
import type { ChunkInputs, MapJob, ReduceJob } from "../../../core/engine/chunk_job.ts";
import { onnxRuntime } from "../../../core/engine/onnx_runtime.ts";
import { createChunkRunner } from "../../../core/engine/run_chunk.ts";
import { encodeFrom } from "../../../core/tensor/codec.ts";
import { type DType, DTYPES } from "../../../core/tensor/dtype.ts";

const engine = onnxRuntime();
const fused = createChunkRunner(engine, "fused");
/** A mask, also one that keeps all, works on decoded rows. */
const decoded = <Job extends MapJob | ReduceJob>(job: Job) => {
  const keep = new Uint8Array(job.inputs.count).fill(1);
  return fused({ ...job, selections: job.inputs.kinds.map(() => ({ kind: "mask", keep })) });
};

function stored(dtype: DType, values: Float32Array): Bytes {
  const bytes = new Uint8Array(values.length * DTYPES[dtype].bytes);
  encodeFrom(dtype, values, bytes, { saturate: false });
  return bytes;
}

function values(count: number, seed: number): Float32Array {
  return Float32Array.from({ length: count }, (_, i) => {
    const mixed = Math.imul(i + 1, 2654435761) ^ Math.imul(seed, 40503);
    return i % 7 === 0 ? 1.5 : (mixed >>> 8) % 2001 / 97 - 10;
  });
}

/** Chunks around the sizes of tiles and vectors. */
const COUNTS = [1, 2, 3, 5, 8, 4095, 4096, 4097, 16383, 16384, 16385, 40000, 49153];

function inputsOf(count: number, types: readonly DType[], base: DType | undefined): ChunkInputs {
  return {
    count,
    models: types.map((dtype, i) => ({ dtype, bytes: stored(dtype, values(count, i)) })),
    ...(base ? { base: { dtype: base, bytes: stored(base, values(count, 9)) } } : {}),
    kinds: types.map(() => "weights" as const),
    finite: true,
  };
}

function mapJob(inputs: ChunkInputs, out: DType, agreed: boolean): MapJob {
  const weight = inputs.base ? "scale" : "weight";
  const size = inputs.models.length;
  return {
    stage: "map",
    method: inputs.base ? "task_arithmetic" : "linear",
    graph: inputs.base ? "sum" : "average",
    inputs,
    coefficients: { [weight]: { size, values: new Float64Array(size).fill(1 / size) } },
    double: false,
    out,
    saturate: false,
    agreed,
  };
}

const TYPES = ["BF16", "F32", "F16"] as const;

Deno.test("any types and sizes give the bytes that decoded rows give", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...COUNTS),
      fc.array(fc.constantFrom(...TYPES), { minLength: 1, maxLength: 4 }),
      fc.option(fc.constantFrom(...TYPES), { nil: undefined }),
      fc.constantFrom(...TYPES),
      fc.boolean(),
      async (count, types, base, out, agreed) => {
        const job = () => mapJob(inputsOf(count, types, base), out, agreed);
        const expected = await decoded(job());
        const actual = await fused(job());
        assertEquals(actual.fault, expected.fault);
        assertEquals(actual.bytes, expected.bytes);
      },
    ),
    { seed: 6, numRuns: 60 },
  );
});

Deno.test("NaN, infinity and overflow are the same faults as on decoded rows", async () => {
  const spoilt = (dtype: DType, at: number, value: number) => {
    const inputs = inputsOf(20000, ["BF16", "BF16"], "BF16");
    const changed = values(20000, 1);
    changed[at] = value;
    return {
      ...inputs,
      models: [inputs.models[0]!, { dtype, bytes: stored(dtype, changed) }],
    };
  };
  for (const at of [0, 16383, 16384, 19999]) {
    for (const value of [NaN, Infinity, -Infinity]) {
      for (const finite of [true, false]) {
        const job = () => mapJob({ ...spoilt("BF16", at, value), finite }, "BF16", false);
        const expected = await decoded(job());
        const actual = await fused(job());
        assertEquals(actual.fault, expected.fault);
        assertEquals(actual.bytes, expected.bytes);
        assertEquals(actual.fault !== undefined, finite);
      }
    }
    // The largest float32 is above the largest bfloat16.
    const job = () => mapJob(spoilt("F32", at, 3.4e38), "BF16", false);
    const enlarged = () => ({
      ...job(),
      coefficients: { scale: { size: 2, values: new Float64Array([0, 1]) } },
    });
    const expected = await decoded(enlarged());
    assertEquals((await fused(enlarged())).fault, expected.fault);
    assertEquals(expected.fault?.element, at);
  }
});

Deno.test("programs decode and round float16 as the platform does, and give up what overflows", async () => {
  const halves = new Float16Array(Uint16Array.from({ length: 65_536 }, (_, bits) => bits).buffer);
  const finite = Float32Array.from(halves).filter(Number.isFinite);
  /** Half-way to the next float16, and next to that. */
  const between = finite.map((value, i) => {
    const middle = (value + (finite[i + 1] ?? value)) / 2;
    return middle * (1 + (i % 3 - 1) * 2 ** -23);
  });
  const alone = (values: Float32Array): ChunkInputs => ({
    count: values.length,
    models: [{ dtype: "F32", bytes: stored("F32", values) }],
    kinds: ["weights"],
    finite: true,
  });
  for (const values of [finite, between]) {
    const inputs = alone(values);
    const { bytes } = await fused(mapJob(inputs, "F16", false));
    const expected = new Uint16Array(new Float16Array(values).buffer);
    assertEquals(new Uint16Array(bytes!.buffer), expected);
    const again = { ...inputs, models: [{ dtype: "F16" as const, bytes: bytes! }] };
    const decoded = await fused(mapJob(again, "F32", false));
    const rounded = Float32Array.from(new Float16Array(values));
    assertEquals(new Float32Array(decoded.bytes!.buffer), rounded);
  }
  for (const value of [65_520, -65_520, 1e9]) {
    const values = new Float32Array(20_000).fill(1);
    values[17_000] = value;
    const inputs = alone(values);
    const { fault } = await fused(mapJob(inputs, "F16", false));
    assertEquals(fault, { element: 17_000, found: 1 });
    const saturated = await fused({ ...mapJob(inputs, "F16", false), saturate: true });
    assertEquals(new Float16Array(saturated.bytes!.buffer)[17_000], Math.sign(value) * 65_504);
  }
});

Deno.test("sums, and whether models agree, are those of decoded rows", async () => {
  const job = (inputs: ChunkInputs): ReduceJob => ({
    stage: "reduce",
    method: "model_stock",
    graph: "products",
    inputs,
    coefficients: {},
    sums: 4,
  });
  for (const count of COUNTS) {
    for (const type of TYPES) {
      const equal = () => {
        const inputs = inputsOf(count, [type, type], type);
        return { ...inputs, models: [inputs.models[0]!, inputs.models[0]!] };
      };
      const all = () => {
        const inputs = equal();
        return { ...inputs, base: inputs.models[0]! };
      };
      const apart = () => inputsOf(count, [type, type], type);
      for (
        const [make, agreed, withBase] of [
          [equal, true, false],
          [all, true, true],
          [apart, false, false],
        ] as const
      ) {
        const expected = await decoded(job(make()));
        const actual = await fused(job(make()));
        // One element may be equal by chance: all have a 1.5 in front.
        if (count > 1) {
          assertEquals([actual.agreed, actual.agreedWithBase], [agreed, withBase]);
        }
        assertEquals(actual.agreed, expected.agreed);
        assertEquals(actual.agreedWithBase, expected.agreedWithBase);
        assertEquals(actual.sums!.length, expected.sums!.length);
        const scale = Math.max(...expected.sums!.map(Math.abs), 1);
        expected.sums!.forEach((value, i) =>
          assert(Math.abs(actual.sums![i]! - value) <= 1e-13 * scale)
        );
      }
    }
  }
});

/** Vectors that fall into tiles in every way: length, elements, and how far into its first one the chunk begins. */
const ROWS = [
  [64, 64, 0],
  [1366, 16_392, 0],
  [5461, 21_844, 0],
  [16_384, 32_768, 0],
  [40_001, 40_001, 0],
  [40_001, 20_000, 20_001],
] as const;

Deno.test("vectors with coefficients of their own give what decoded rows give, exponentials too", async () => {
  for (const [length, count, offset] of ROWS) {
    for (const type of TYPES) {
      const vectors = Math.ceil((offset + count) / length);
      const each = (value: (v: number) => number) => ({
        size: 1,
        values: Float64Array.from({ length: vectors }, (_, v) => value(v)),
      });
      const call = () => ({
        method: "arcee_fusion",
        inputs: inputsOf(count, [type], type),
        coefficients: {
          "x.share": each((v) => 1e-4 / (v + 1)),
          "b.share": each((v) => 2e-4 / (v + 1)),
          divergence: each((v) => 1 + v),
          threshold: each(() => 3),
        },
        vectors: { along: "rows" as const, length, offset, rows: vectors },
      });
      for (const [graph, sums] of [["maxima", 4], ["divergence", 1]] as const) {
        const job = (): ReduceJob => ({ stage: "reduce", ...call(), graph, sums });
        assertEquals((await fused(job())).sums, (await decoded(job())).sums, `${length} ${graph}`);
      }
      const job = (): MapJob => ({
        stage: "map",
        ...call(),
        graph: "choose",
        double: false,
        out: type,
        saturate: false,
        agreed: false,
      });
      assertEquals((await fused(job())).bytes, (await decoded(job())).bytes, `${length}`);
    }
  }
});
