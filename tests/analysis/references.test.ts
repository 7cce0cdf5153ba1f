import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import type { CutSummary, Summary } from "../../core/analysis/answer.ts";
import type { TensorSpectrum } from "../../core/analysis/spectrum.ts";
import type { ChunkExecutor } from "../../core/engine/chunk_job.ts";
import { onnxRuntime } from "../../core/engine/onnx_runtime.ts";
import { createChunkRunner } from "../../core/engine/run_chunk.ts";
import { analyzed } from "../support/analyzing.ts";
import type { TestCheckpoint } from "../support/merging.ts";

/** A summary by NumPy; see fixtures/analysis/make_analysis.py. */
interface Reference extends Omit<CutSummary, "histogram"> {
  /** Per model, elements by the exponent of their magnitude. */
  readonly octaves: Readonly<Record<string, readonly number[]>>;
}

interface Case {
  readonly name: string;
  readonly base: string | null;
  readonly models: readonly string[];
  readonly checkpoints: Readonly<Record<string, TestCheckpoint>>;
  readonly total: Reference;
  readonly layers: Readonly<Record<string, Reference>>;
  readonly tensors: Readonly<Record<string, Reference>>;
  readonly spectra: Readonly<Record<string, TensorSpectrum>>;
}

const CASES: readonly Case[] = JSON.parse(
  Deno.readTextFileSync(new URL("../../fixtures/analysis/cases.json", import.meta.url)),
);

for (const each of CASES) {
  Deno.test(`the analysis finds what NumPy finds: ${each.name}`, async () => {
    const found = await analyzed(each.checkpoints, { document: { spectrum: true } });
    assertEquals([found.base, found.models], [each.base, each.models]);
    assertEquals(found.operand, each.base === null ? "weights" : "task_vectors");
    assertEquals([found.skipped, found.non_finite], [[], each.models.map(() => 0)]);
    assertCut(found.total, each.total);
    assertEquals(found.tensors.map(({ name }) => name).sort(), Object.keys(each.tensors).sort());
    for (const tensor of found.tensors) assertCut(tensor, each.tensors[tensor.name]!);
    for (const { name, spectrum } of found.tensors) {
      // Singular values are those of float32 task vectors.
      if (each.spectra[name]) assertClose(spectrum, each.spectra[name], name, 1e-6);
      else assertEquals(spectrum, undefined);
    }
    assertEquals(found.layers.map(({ name }) => name), [
      "model.embed_tokens",
      "model.layers.0",
      "model.layers.1",
      "model.norm",
      "lm_head",
    ]);
    assertEquals(found.layers.map(({ tensors }) => tensors), [1, 2, 1, 1, 1]);
    for (const layer of found.layers) assertSummary(layer, each.layers[layer.name]!);
  });
}

Deno.test("ONNX Runtime alone finds the same as the fused engine", async () => {
  const engine = onnxRuntime();
  const run = createChunkRunner(engine, "wasm");
  const executor: ChunkExecutor = {
    width: 1,
    run,
    broadcast: async (job) => [await run(job)],
    warm: () => engine.warm(),
    close: () => engine.close(),
  };
  try {
    for (const each of CASES.slice(1, 3)) {
      const found = await analyzed(each.checkpoints, { executor });
      assertCut(found.total, each.total);
      for (const tensor of found.tensors) assertCut(tensor, each.tensors[tensor.name]!);
    }
  } finally {
    await executor.close();
  }
});

function assertSummary(found: Summary, wanted: Reference): void {
  for (
    const key of [
      "elements",
      "norms",
      "cosines",
      "sign_agreement",
      "conflict",
      "density",
      "maximum",
    ] as const
  ) assertClose(found[key], wanted[key], key);
  const counted = new Map<number, number[]>();
  found.histogram.counts.forEach((counts, model) =>
    counts.forEach((count, bin) => {
      const octave = Math.floor(Math.log2(found.histogram.edges[bin]!));
      const row = counted.get(octave) ?? wanted.density.map(() => 0);
      row[model]! += count;
      counted.set(octave, row);
    })
  );
  const present = [...counted].filter(([, row]) => row.some((count) => count > 0));
  assertEquals(
    Object.fromEntries(present.map(([octave, row]) => [String(octave), row])),
    { ...wanted.octaves },
  );
}

function assertCut(found: CutSummary, wanted: Reference): void {
  assertSummary(found, wanted);
  found.quantiles.forEach((row, model) =>
    row.forEach((cut, i) => {
      const exact = wanted.quantiles[model]![i]!;
      assert(cut <= exact && cut >= exact * (1 - 2 ** -8), `${cut} is not just below ${exact}`);
    })
  );
}

function assertClose(found: unknown, wanted: unknown, path: string, tolerance = 1e-12): void {
  if (typeof wanted === "number") {
    assertAlmostEquals(found as number, wanted, tolerance * Math.max(1, Math.abs(wanted)), path);
  } else if (wanted === null) assertEquals(found, null, path);
  else {
    const keys = Object.keys(wanted as object);
    assertEquals(Object.keys(found as object).sort(), keys.sort(), path);
    for (const key of keys) {
      assertClose(
        (found as Record<string, unknown>)[key],
        (wanted as Record<string, unknown>)[key],
        `${path}.${key}`,
        tolerance,
      );
    }
  }
}
