import { assertEquals } from "@std/assert";
import fc from "fast-check";
import type { ChunkInput, ChunkInputs, HistogramJob, Lane } from "../../core/engine/chunk_job.ts";
import { LISTED } from "../../core/engine/magnitudes.ts";
import { onnxRuntime } from "../../core/engine/onnx_runtime.ts";
import { createChunkRunner } from "../../core/engine/run_chunk.ts";
import { decodeTo, encodeFrom } from "../../core/tensor/codec.ts";
import { type DType, DTYPES } from "../../core/tensor/dtype.ts";

const run = createChunkRunner(onnxRuntime(), "fused");

function stored(dtype: DType, values: Float32Array): ChunkInput {
  const bytes = new Uint8Array(values.length * DTYPES[dtype].bytes);
  encodeFrom(dtype, values, bytes, { saturate: false });
  return { dtype, bytes };
}

function decoded({ dtype, bytes }: ChunkInput): Float32Array {
  const values = new Float32Array(bytes.length / DTYPES[dtype].bytes);
  decodeTo(dtype, bytes, values);
  return values;
}

function values(count: number, seed: number): Float32Array {
  return Float32Array.from({ length: count }, (_, i) => {
    const mixed = Math.imul(i + 1, 2654435761) ^ Math.imul(seed + 1, 40503);
    return ((mixed >>> 8) % 4001 - 2000) / 1024;
  });
}

/** The keys of the models' task vectors. */
function keysOf({ models, base, kinds }: ChunkInputs): Uint32Array[] {
  const origin = base && decoded(base);
  return models.map((model, i) => {
    const differences = decoded(model).map((value, e) =>
      kinds[i] === "weights" ? value - (origin?.[e] ?? 0) : value
    );
    return new Uint32Array(differences.buffer).map((bits) => bits & 0x7fffffff);
  });
}

type Window = Extract<Lane, { readonly kind: "window" }>;

let ids = 0;

/** What a job answers, and the keys that it listed. */
async function count(inputs: ChunkInputs, lanes: readonly (Window | undefined)[], times = 1) {
  const id = `test-${ids++}`;
  const job = (): HistogramJob => ({ stage: "histogram", id, lanes, inputs });
  const answers = [];
  for (let i = 0; i < times; i++) answers.push(await run(job()));
  const { collected } = await run({ stage: "collect", id, wanted: lanes.map(() => true) });
  return { answers, collected: collected! };
}

function expectedOf(keys: Uint32Array, { low, high, guess }: Window) {
  const within = [...keys].filter((key) => key >= low && key <= high && key !== guess);
  const counted = (test: (key: number) => boolean) => [...keys].filter(test).length;
  return {
    above: counted((key) => key > high),
    zeros: counted((key) => key === 0),
    equal: counted((key) => key === guess),
    within,
  };
}

const TYPES = ["BF16", "F32", "F16"] as const;

Deno.test("keys of stored rows are counted and listed as their definition says", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(1, 5, 16_383, 16_384, 16_385, 33_001),
      fc.array(
        fc.record({
          dtype: fc.constantFrom(...TYPES),
          kind: fc.constantFrom("weights" as const, "task_vector" as const),
          picked: fc.option(fc.tuple(fc.nat(40_000), fc.nat(40_000), fc.nat(40_000)), {
            nil: undefined,
          }),
        }),
        { minLength: 1, maxLength: 3 },
      ),
      fc.option(fc.constantFrom(...TYPES), { nil: undefined }),
      async (size, cases, base) => {
        const inputs: ChunkInputs = {
          count: size,
          models: cases.map(({ dtype }, i) => stored(dtype, values(size, i))),
          ...(base ? { base: stored(base, values(size, 9)) } : {}),
          kinds: cases.map(({ kind }) => kind),
          finite: true,
        };
        const keys = keysOf(inputs);
        const lanes = cases.map(({ picked }, row): Window | undefined => {
          if (!picked) return undefined;
          const [low, guess, high] = picked.map((at) => keys[row]![at % size]!)
            .sort((a, b) => a - b) as [number, number, number];
          return { kind: "window", row, low, guess, high };
        });
        const { answers: [answer], collected } = await count(inputs, lanes);
        lanes.forEach((lane, i) => {
          if (!lane) return assertEquals(answer!.tallies![i], undefined);
          const { within, ...tally } = expectedOf(keys[i]!, lane);
          assertEquals(answer!.tallies![i], { ...tally, listed: [0, within.length] });
          assertEquals([...collected[i]!], within);
        });
      },
    ),
    { seed: 5, numRuns: 60 },
  );
});

Deno.test("lists go on from chunk to chunk, until one does not fit", async () => {
  const size = 100_000;
  const inputs: ChunkInputs = {
    count: size,
    models: [stored("BF16", values(size, 1).map((value) => value || 1))],
    kinds: ["task_vector"],
    finite: true,
  };
  const lane: Window = { kind: "window", row: 0, low: 1, high: 0x7f000000, guess: 0 };
  const { answers, collected } = await count(inputs, [lane], 4);
  assertEquals(answers.map(({ tallies }) => tallies![0]!.listed), [
    [0, size],
    [size, 2 * size],
    undefined,
    undefined,
  ]);
  assertEquals(collected[0]!.length, LISTED);
  const all = keysOf(inputs)[0]!;
  assertEquals(collected[0]!.subarray(0, size), all);
  assertEquals(collected[0]!.subarray(size, 2 * size), all);
});

Deno.test("what is not finite is a fault that lists nothing, unless it may be there", async () => {
  const size = 20_000;
  for (const dtype of ["BF16", "F32"] as const) {
    for (const wrong of [NaN, Infinity, -Infinity]) {
      for (const at of [0, 16_384, size - 1]) {
        for (const input of [-1, 0, 1]) {
          const rows = [9, 0, 1].map((seed, i) => {
            const row = values(size, seed);
            if (i === input + 1) row[at] = wrong;
            return stored(dtype, row);
          });
          const inputs: ChunkInputs = {
            count: size,
            base: rows[0]!,
            models: rows.slice(1),
            kinds: ["weights", "weights"],
            finite: true,
          };
          const lanes = [0, 1].map((row): Window => ({
            ...{ kind: "window", row, low: 1, guess: 1, high: 0x7fffffff },
          }));
          const { answers: [answer], collected } = await count(inputs, lanes);
          assertEquals(answer!.fault, { input, element: at, found: 1 });
          assertEquals(collected.map((list) => list?.length ?? 0), [0, 0]);
          const { answers: [propagated] } = await count({ ...inputs, finite: false }, lanes);
          assertEquals(propagated!.fault, undefined);
        }
      }
    }
  }
});

Deno.test("finite rows whose difference overflows are counted, as they are where they lie decoded", async () => {
  const size = 20_000;
  const row = (value: number) => values(size, 2).map((each, i) => i === 17_000 ? value : each);
  const inputs: ChunkInputs = {
    count: size,
    base: stored("F32", row(-3e38)),
    models: [stored("F32", row(3e38))],
    kinds: ["weights"],
    finite: true,
  };
  const lane: Window = { kind: "window", row: 0, low: 1, guess: 1, high: 0x7f7fffff };
  const { answers: [answer] } = await count(inputs, [lane]);
  const { within, ...tally } = expectedOf(keysOf(inputs)[0]!, lane);
  assertEquals(answer!.tallies![0], { ...tally, listed: [0, within.length] });
  assertEquals(tally.above, 1);
});
