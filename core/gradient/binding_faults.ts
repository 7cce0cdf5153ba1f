/**
 * Refuses a checkpoint that cannot be bound to a graph, and says what is in the way.
 *
 * @module
 */
import type { Checkpoint } from "../checkpoint/checkpoint.ts";
import { didYouMean } from "../merge/nearest.ts";
import type { OnnxTensor, Value } from "../onnx/model.ts";
import { Problem } from "../problem.ts";
import type { Bindings } from "./binding.ts";
import type { SeparatedModel } from "./shared_weights.ts";

/**
 * @param initializers The graph's.
 * @param start The checkpoint whose tensors were bound.
 * @param unclear Tensors that may be one of several uses of an initializer.
 * @throws {Problem} `mismatch` if a shape differs, nothing could be bound, a tensor could be several
 *   initializers, or a tensor and an initializer are left over that look like one another.
 */
export function checkBindings(
  { bound, misshapen, ambiguous, unboundTensors, unboundInitializers }: Bindings,
  initializers: ReadonlyMap<Value, OnnxTensor>,
  start: Checkpoint,
  unclear: SeparatedModel["unclear"],
): void {
  const [crooked] = misshapen;
  if (crooked) {
    throw new Problem(
      "mismatch",
      `Cannot use the tensor ${crooked.name} as its shape must be [${
        crooked.initializer.join(", ")
      }] as in the graph: current value is [${crooked.tensor.join(", ")}]`,
      { tensor: crooked.name },
    );
  }
  const [vague] = ambiguous;
  if (vague) {
    throw new Problem(
      "mismatch",
      `Cannot bind the tensor ${vague.tensor} to the graph as its name is not there and its values are ` +
        `those of several tensors, export the graph without optimization: current value is ${
          vague.candidates.join(", ")
        }`,
      { tensor: vague.tensor, candidates: vague.candidates },
    );
  }
  const lost = unclear.find(({ tensor }) => unboundTensors.includes(tensor));
  if (lost) {
    throw new Problem(
      "mismatch",
      `Cannot bind the tensor ${lost.tensor} to the graph as the exporter kept it together with ` +
        `${lost.initializer}, whose values it had, and nothing says which use is whose. Export the graph with ` +
        `the names of its modules, or without optimization: current value is ${lost.initializer}`,
      { tensor: lost.tensor, initializer: lost.initializer },
    );
  }
  if (bound.length === 0) {
    const names = [...start.tensors.keys()];
    throw new Problem(
      "mismatch",
      `Cannot bind the checkpoint to the graph as no tensor has the name or the values of an initializer` +
        `${didYouMean(names[0] ?? "", initializers.keys())}: current value is ${
          names.slice(0, 5).join(", ")
        }`,
      { unbound: names.slice(0, 20), initializers: [...initializers.keys()].slice(0, 20) },
    );
  }
  for (const name of unboundTensors) {
    const { shape } = start.tensors.get(name)!;
    if (size(shape) < 2) continue;
    const lookalike = unboundInitializers.find((initializer) =>
      sameSizes(shape, initializers.get(initializer)!.shape)
    );
    if (lookalike === undefined) continue;
    throw new Problem(
      "mismatch",
      `Cannot bind the tensor ${name} to the graph as its name is not there and its values differ from ` +
        `those of the initializer of its shape, name the checkpoint that the graph was exported with as ` +
        `exported_with: current value is ${lookalike}`,
      { tensor: name, initializer: lookalike },
    );
  }
}

function size(shape: readonly number[]): number {
  return shape.reduce((product, length) => product * length, 1);
}

/** Whether the shapes have the same sizes in any order, ones left out. */
function sameSizes(a: readonly number[], b: readonly number[]): boolean {
  const sorted = (shape: readonly number[]) => shape.filter((s) => s !== 1).toSorted().join();
  return sorted(a) === sorted(b);
}
