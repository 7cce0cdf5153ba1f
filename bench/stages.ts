/**
 * What a chunk costs on one thread, stage by stage, on the fused engine and on ONNX Runtime:
 * `deno run -A bench/stages.ts [SVG]` prints a table and writes a picture.
 *
 * @module
 */
import type {
  ChunkInput,
  ChunkInputs,
  ChunkJob,
  ChunkSelections,
  MapJob,
  PackedCoefficients,
} from "../core/engine/chunk_job.ts";
import { onnxRuntime } from "../core/engine/onnx_runtime.ts";
import { createChunkRunner } from "../core/engine/run_chunk.ts";
import { encodeFrom } from "../core/tensor/codec.ts";

const COUNT = 1 << 18;
const MODELS = 3;
const WARM = 80;
const RUNS = 30;

let state = 1;
function uniform(): number {
  state = Math.imul(state, 1664525) + 1013904223 >>> 0;
  return (state + 1) / 2 ** 32;
}
function normal(): number {
  return Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
}

/** A base and models that were tuned from it, as they lie in bfloat16 files. */
function inputs(): ChunkInputs {
  const base = new Float32Array(COUNT).map(() => 0.02 * normal());
  const stored = (values: Float32Array): ChunkInput => {
    const bytes = new Uint8Array(2 * COUNT);
    encodeFrom("BF16", values, bytes, { saturate: false });
    return { dtype: "BF16", bytes };
  };
  return {
    count: COUNT,
    base: stored(base),
    models: Array.from(
      { length: MODELS },
      () => stored(base.map((value) => value + 0.002 * normal())),
    ),
    kinds: Array.from({ length: MODELS }, () => "weights" as const),
    finite: true,
  };
}

const filled = (size: number, value: number) => ({
  size,
  values: new Float64Array(size).fill(value),
});
const COEFFICIENTS: PackedCoefficients = {
  scale: filled(MODELS, 0.3),
  weight: filled(MODELS, 0.3),
  share: filled(MODELS, 0.3),
  bound: filled(1, 0.1),
  lambda: filled(1, 1),
};
const ofRows = (value: number) => ({ size: 1, values: new Float64Array(COUNT / 1024).fill(value) });
const ROW_MEASURES: PackedCoefficients = {
  "x.maximum": ofRows(0.07),
  "b.maximum": ofRows(0.07),
  "x.scale": ofRows(1 / 950),
  "b.scale": ofRows(1 / 950),
  "x.share": ofRows(1 / 1025),
  "b.share": ofRows(1 / 1025),
};
const data = inputs();
const largest = Array.from({ length: MODELS }, () => ({
  kind: "threshold" as const,
  cut: { key: 29990 * 2 ** 15, quota: Infinity },
}));
const random = Array.from({ length: MODELS }, (_, i) => ({
  kind: "random" as const,
  key: [1, i] as const,
  first: 0,
  probability: 0.3,
}));

const ranked = Array.from({ length: MODELS }, (_, i) => ({
  kind: "ranked" as const,
  vectors: {
    kind: "ranked" as const,
    density: 0.3,
    epsilon: 0.1,
    divide: true,
    length: 1024,
    stride: 1,
  },
  first: 0,
  stream: { key: [1, i] as const },
}));

function mapped(method: string, graph: string, selections?: ChunkSelections): MapJob {
  return {
    stage: "map",
    method,
    graph,
    inputs: data,
    coefficients: COEFFICIENTS,
    ...(selections ? { selections } : {}),
    double: false,
    out: "BF16",
    saturate: false,
    agreed: false,
  };
}

const STAGES: readonly (readonly [name: string, job: ChunkJob])[] = [
  ["task_arithmetic: map", mapped("task_arithmetic", "sum")],
  ["model_stock: dot products", {
    stage: "reduce",
    method: "model_stock",
    graph: "products",
    inputs: data,
    coefficients: {},
    sums: MODELS * MODELS,
  }],
  ["model_stock: map", mapped("model_stock", "mean")],
  ["ties: count magnitudes", {
    stage: "histogram",
    inputs: data,
    id: "ties",
    lanes: Array.from({ length: MODELS }, (_, row) => ({
      row,
      kind: "window",
      low: 29983 << 15,
      high: 29998 << 15,
      guess: 29990 << 15,
    })),
  }],
  ["ties: trim, elect, merge", mapped("ties", "elect:unsigned:same:weights", largest)],
  ["dare_ties: mask, elect, merge", mapped("dare_ties", "elect:unsigned:same:none", random)],
  ["della: rank, elect, merge", mapped("della", "elect:unsigned:same:weights", ranked)],
  ...["maxima", "divergence"].map((graph): [string, ChunkJob] => [
    `arcee_fusion: ${graph}`,
    {
      stage: "reduce",
      method: "arcee_fusion",
      graph,
      inputs: { ...data, models: data.models.slice(0, 1), kinds: ["weights"] },
      coefficients: ROW_MEASURES,
      vectors: { along: "rows", length: 1024, offset: 0, rows: COUNT / 1024 },
      sums: graph === "divergence" ? 1 : 4,
    },
  ]),
];

/** Nanoseconds for each element of the output. */
async function measure(fuses: boolean, job: ChunkJob): Promise<number> {
  const run = createChunkRunner(engine, fuses ? "fused" : "wasm");
  for (let i = 0; i < WARM; i++) await run(job);
  const started = performance.now();
  for (let i = 0; i < RUNS; i++) await run(job);
  return (performance.now() - started) / RUNS * 1e6 / COUNT;
}

const engine = onnxRuntime();
const rows: { name: string; fused: number; runtime: number }[] = [];
console.log("| stage | fused, ns | ONNX Runtime, ns | ratio |\n| --- | ---: | ---: | ---: |");
for (const [name, job] of STAGES) {
  const row = { name, fused: await measure(true, job), runtime: await measure(false, job) };
  rows.push(row);
  console.log(
    `| ${name} | ${row.fused.toFixed(2)} | ${row.runtime.toFixed(2)} | ${
      (row.runtime / row.fused).toFixed(1)
    } |`,
  );
}
await engine.close();
const [target] = Deno.args;
if (target) await Deno.writeTextFile(target, picture(rows));

/** Bars of both engines, one stage below the other. */
function picture(stages: typeof rows): string {
  const most = Math.max(...stages.flatMap(({ fused, runtime }) => [fused, runtime]));
  const scale = 420 / most;
  const height = 64 + 52 * stages.length;
  const bars = stages.map(({ name, fused, runtime }, i) => {
    const y = 56 + 52 * i;
    const bar = (at: number, value: number, kind: string) =>
      `<rect class="${kind}" x="240" y="${at}" width="${
        (value * scale).toFixed(1)
      }" height="16"/>` +
      `<text x="${(246 + value * scale).toFixed(1)}" y="${at + 12}">${value.toFixed(1)}</text>`;
    return `<text class="name" x="232" y="${y + 20}" text-anchor="end">${name}</text>` +
      bar(y, fused, "fused") + bar(y + 18, runtime, "runtime");
  }).join("\n");
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 720 ${height}" role="img" aria-label="Nanoseconds per element">
<style>text{font:13px system-ui,sans-serif;fill:#222}.fused{fill:#2563eb}.runtime{fill:#9ca3af}.title{font-weight:600}
@media (prefers-color-scheme:dark){text{fill:#eee}.fused{fill:#60a5fa}.runtime{fill:#6b7280}}</style>
<text class="title" x="16" y="24">Nanoseconds per output element, base and three bfloat16 models, one thread</text>
<rect class="fused" x="240" y="34" width="12" height="12"/><text x="258" y="45">fused engine</text>
<rect class="runtime" x="360" y="34" width="12" height="12"/><text x="378" y="45">ONNX Runtime</text>
${bars}
</svg>
`;
}
