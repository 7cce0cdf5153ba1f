/**
 * From the tuned tasks of a round to its candidates: clipping, merging, outer step.
 *
 * @module
 */
import type { Checkpoint } from "../../checkpoint/checkpoint.ts";
import type { Workspace } from "../../engine/workspace.ts";
import type { TuningPorts } from "../tuning_ports.ts";
import { aggregate } from "./aggregate.ts";
import type { AtmDocument } from "./atm_document.ts";
import { mapChunks } from "./chunk_math.ts";
import { clipFactors, clippedGraph } from "./clip.ts";
import { candidateGraph, isPlain, outerRate, stateGraph, stateOf } from "./outer.ts";
import { gaussianNoise, noiseDeviation } from "./privacy.ts";
import { type ScratchCheckpoint, writeScratch } from "./scratch.ts";

/** What candidates are made with. */
export interface CandidateContext {
  readonly document: AtmDocument;
  readonly ports: TuningPorts;
  readonly workspace: Workspace;
  /** θ^(k-1). */
  readonly previous: Checkpoint;
  readonly tensors: readonly string[];
  readonly signal: AbortSignal;
}

/** The state of the outer optimizer by name; each is zero at first, and then a checkpoint. */
export type OuterState = ReadonlyMap<string, ScratchCheckpoint>;

const METADATA = { format: "pt", kind: "weights" };

/** Clips task vectors; results whose vectors are within the bound are left as they are. */
export async function clipTuned(
  context: CandidateContext,
  tuned: readonly ScratchCheckpoint[],
  norms: readonly number[],
): Promise<{ results: ScratchCheckpoint[]; factors: number[] }> {
  const { document: { clip, privacy }, ports, workspace, previous, tensors, signal } = context;
  const spec = privacy ? { norm: privacy.clipNorm } : clip;
  if (!spec) return { results: [...tuned], factors: norms.map(() => 1) };
  const factors = clipFactors(spec, norms);
  const results: ScratchCheckpoint[] = [];
  for (const [i, each] of tuned.entries()) {
    if (factors[i] === 1) {
      results.push(each);
      continue;
    }
    const pieces = mapChunks(
      {
        workspace,
        key: "clip",
        graph: clippedGraph,
        operands: { previous, tuned: each.checkpoint },
        scalars: { factor: factors[i]! },
        tensors,
        signal,
      },
      previous,
      METADATA,
    );
    results.push(await writeScratch(ports.blobs, pieces, signal));
    await each.release();
  }
  return { results, factors };
}

/**
 * Merges the results, and adds noise where privacy is asked for.
 *
 * @param tuned By task name.
 * @param weights Sum to 1.
 */
export async function mergeTuned(
  context: CandidateContext,
  tuned: ReadonlyMap<string, Checkpoint>,
  weights: readonly number[],
): Promise<ScratchCheckpoint> {
  const { document: { merge, seed, privacy }, ports, workspace, previous, tensors, signal } =
    context;
  const merged = await writeScratch(
    ports.blobs,
    aggregate({ ports, workspace, merge, previous, tuned, weights, tensors, seed, signal }),
    signal,
  );
  if (!privacy || privacy.noiseMultiplier === 0) return merged;
  const deviation = noiseDeviation(privacy, tuned.size);
  const pieces = mapChunks(
    {
      workspace,
      key: "noise",
      graph: (graph, operand) => ({
        result: graph.node("Add", [operand("merged"), operand("noise")]),
      }),
      operands: { merged: merged.checkpoint },
      tensors,
      signal,
    },
    merged.checkpoint,
    METADATA,
    ({ elements }) => ({
      noise: {
        type: "float32",
        shape: [elements],
        bytes: new Uint8Array(gaussianNoise(elements, deviation).buffer),
      },
    }),
  );
  const noisy = await writeScratch(ports.blobs, pieces, signal);
  await merged.release();
  return noisy;
}

/**
 * The outer optimizer's state after this round; what was there before stays valid, so that a rejected round can
 * leave it as it was.
 */
export async function nextState(
  context: CandidateContext,
  state: OuterState,
  merged: Checkpoint,
): Promise<OuterState> {
  const { document: { outer }, ports, workspace, previous, tensors, signal } = context;
  const next = new Map<string, ScratchCheckpoint>();
  for (const name of stateOf(outer)) {
    // The state is zero at first: of the weights' layout, with 0 times the weights.
    const held = state.get(name)?.checkpoint;
    const graph = stateGraph(outer, name);
    const pieces = mapChunks(
      {
        workspace,
        key: `outer ${name} ${held ? "next" : "first"}`,
        graph: held ? graph : (builder, operand, scalar) =>
          graph(
            builder,
            (operandName) =>
              operandName === name
                ? builder.node("Sub", [operand("previous"), operand("previous")])
                : operand(operandName),
            scalar,
          ),
        operands: { previous, merged, ...(held ? { [name]: held } : {}) },
        tensors,
        signal,
      },
      previous,
      METADATA,
    );
    next.set(name, await writeScratch(ports.blobs, pieces, signal));
  }
  return next;
}

/**
 * The candidate θ^(k-1) + α·u. With the plain outer step and α = 1 it is the merge itself, byte for byte.
 *
 * @param round From 1, for Adam's correction.
 */
export async function outerStep(
  context: CandidateContext,
  merged: ScratchCheckpoint,
  state: OuterState,
  alpha: number,
  round: number,
): Promise<ScratchCheckpoint> {
  const { document: { outer }, ports, workspace, previous, tensors, signal } = context;
  if (isPlain(outer) && alpha === 1) return { ...merged, release: () => Promise.resolve() };
  const states = Object.fromEntries(
    [...state].map(([name, { checkpoint }]) => [name, checkpoint]),
  );
  const pieces = mapChunks(
    {
      workspace,
      key: "outer step",
      graph: candidateGraph(outer),
      operands: { previous, merged: merged.checkpoint, ...states },
      scalars: { step: alpha * outerRate(outer, round) },
      tensors,
      signal,
    },
    previous,
    METADATA,
  );
  return await writeScratch(ports.blobs, pieces, signal);
}
