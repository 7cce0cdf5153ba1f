/**
 * How far a round's mean will lie from joint descent, before any round was run (ATM.md, section 5).
 *
 * @module
 */
import type { Checkpoint } from "../../checkpoint/checkpoint.ts";
import type { GraphBuilder, Value } from "../../onnx/graph_builder.ts";
import { type LocalSettings, stepCount } from "../tune.ts";
import { mapChunks, sumOverChunks } from "./chunk_math.ts";
import { taskWeights } from "./round_weights.ts";
import type { Setting } from "./run_rounds.ts";
import { type ScratchCheckpoint, writeScratch } from "./scratch.ts";
import { tuneHere } from "./tune_here.ts";

/** Length of the finite difference beside the weights: float32 resolves it, and the loss is hardly more than curved. */
const PROBE = 1e-2;

/**
 * The estimate `η²·E(E−1)/2·‖Σ w_t(H_t − H̄)(g_t − ḡ)‖ / ‖ηEḡ‖` at the run's start, E being a round's steps.
 *
 * Since `Σ w_t(g_t − ḡ)` is 0, the sum is that of `w_t·H_t(g_t − ḡ)`, and each product is a difference of two
 * gradients. A gradient is that of one batch of the local size, so full batches give the exact value for quadratic
 * losses, and others an estimate.
 *
 * @returns Null where the theory does not hold (another optimizer than plain SGD, clipping) or the rows are away.
 */
export async function predictedDrift(setting: Setting, start: Checkpoint): Promise<number | null> {
  const { document, ports: { blobs }, slots, tasks, tensors, signal } = setting;
  const { local, seed } = document;
  const plain = local.optimizer.name === "sgd" && local.optimizer.momentum === 0 &&
    local.clipNorm === 0;
  if (!plain || tasks.some(({ tune }) => !tune)) return null;
  const steps = tasks.map(({ tune }) => stepCount(local, tune!.data.rows));
  const count = steps.reduce((sum, each) => sum + each, 0) / steps.length;
  if (count <= 1) return 0;
  const held: ScratchCheckpoint[] = [];
  try {
    // One step at rate 1 leads from θ to θ − g; a proximal term has no gradient where it starts.
    const settings: LocalSettings = { ...local, learningRate: 1, steps: 1 };
    const descend = (from: (task: number) => Checkpoint) =>
      slots.each([...tasks.entries()], async ([i, { select: _, ...task }], workspace, slot) => {
        const { result } = await tuneHere(
          task,
          { start: from(i), local: settings, seed, blobs, signal },
          workspace,
          slot,
        );
        held.push(result);
        return result.checkpoint;
      });
    const weights = taskWeights(document, tasks, tasks.map(({ tune }) => tune!.data.rows));
    const stepped = await descend(() => start);
    const named = (name: string, checkpoints: readonly Checkpoint[]) =>
      Object.fromEntries(checkpoints.map((checkpoint, i) => [`${name}${i}`, checkpoint]));
    const operands = { start, ...named("stepped", stepped) };
    const [norms] = await slots.each([0], (_, workspace) =>
      sumOverChunks({
        workspace,
        key: `drift norms ${weights.join()}`,
        operands,
        tensors,
        signal,
        graph: (graph, operand) => {
          const mean = weighted(graph, weights, (i) => operand(`stepped${i}`));
          const parts = [operand("start"), graph.node("Sub", [operand("start"), mean])];
          for (const i of tasks.keys()) {
            parts.push(graph.node("Sub", [mean, operand(`stepped${i}`)]));
          }
          return { squares: squares(graph, parts) };
        },
      }));
    const [size, gradient, ...apart] = [...norms!["squares"]!].map(Math.sqrt);
    const farthest = Math.max(...apart);
    if (farthest === 0 || gradient === 0) return 0;
    const probe = PROBE * (size! > 0 ? size! : farthest) / farthest;
    const probes = await slots.each([...tasks.keys()], async (i, workspace) => {
      const moved = await writeScratch(
        blobs,
        mapChunks(
          {
            workspace,
            key: `drift probe ${i} ${weights.join()}`,
            operands,
            scalars: { probe },
            tensors,
            signal,
            graph: (graph, operand, scalar) => {
              const mean = weighted(graph, weights, (k) => operand(`stepped${k}`));
              const apart = graph.node("Sub", [mean, operand(`stepped${i}`)]);
              const step = graph.node("Mul", [apart, scalar("probe")]);
              return { result: graph.node("Add", [operand("start"), step]) };
            },
          },
          start,
          { format: "pt", kind: "weights" },
        ),
        signal,
      );
      held.push(moved);
      return moved.checkpoint;
    });
    const landed = await descend((i) => probes[i]!);
    const [sums] = await slots.each([0], (_, workspace) =>
      sumOverChunks({
        workspace,
        key: `drift curvature ${weights.join()}`,
        operands: { ...operands, ...named("probe", probes), ...named("landed", landed) },
        tensors,
        signal,
        graph: (graph, operand) => {
          // g(θ + h·d) − g(θ), from the four points.
          const curvature = weighted(graph, weights, (i) => {
            const there = graph.node("Sub", [operand(`probe${i}`), operand(`landed${i}`)]);
            const here = graph.node("Sub", [operand("start"), operand(`stepped${i}`)]);
            return graph.node("Sub", [there, here]);
          });
          return { squares: squares(graph, [curvature]) };
        },
      }));
    const curvature = Math.sqrt(sums!["squares"]![0]!) / probe;
    return local.learningRate * (count - 1) / 2 * curvature / gradient!;
  } finally {
    for (const each of held) await each.release();
  }
}

function weighted(graph: GraphBuilder, weights: readonly number[], of: (task: number) => Value) {
  const parts = weights.map((weight, i) =>
    graph.node("Mul", [of(i), graph.scalar("float32", weight)])
  );
  return parts.length === 1 ? parts[0]! : graph.node("Sum", parts);
}

/** Squared lengths of chunks `[n]`, float64 `[parts]`. */
function squares(graph: GraphBuilder, parts: readonly Value[]): Value {
  const rows = parts.map((part) => graph.node("Unsqueeze", [part, graph.integers([0])]));
  const all = graph.node("Cast", [graph.node("Concat", rows, { axis: 0 })], { to: 11 });
  return graph.node("ReduceSumSquare", [all, graph.integers([1])], { keepdims: 0 });
}
