/**
 * mergekit's `slices`: an output stacked from blocks of several models.
 *
 * Blocks are those of one container, such as `model.layers`: of the first slice's first model, the one
 * with the most blocks (of equally many, the first in the file). `layer_range` counts the blocks of that
 * container in ascending order from 0. The output's blocks are numbered anew from 0. All other tensors
 * come from the first slice's models, or, if they belong after the blocks (`AFTER_BLOCKS`), from those
 * of the last.
 *
 * @module
 */
import type { StoredTensor } from "../checkpoint/checkpoint.ts";
import type { Fault } from "../problem.ts";
import { joinPath, show } from "./faults.ts";
import { blockOf, containersOf, isAfterBlocks } from "./layers.ts";
import { participants } from "./participants.ts";
import { checkpointOf } from "./plan_kinds.ts";
import type { SliceEntry } from "./recipe.ts";
import { bindGroup, type GroupRequest, type TensorGroup } from "./tensor_groups.ts";

/** The groups of a recipe with `slices`, and what is wrong with its ranges. */
export interface SliceGroups {
  readonly groups: readonly TensorGroup[];
  readonly faults: readonly Fault[];
}

/** What one slice takes of its models. */
interface Span {
  readonly container: string;
  /** Number of the slice's first block in the output. */
  readonly offset: number;
  readonly isFirst: boolean;
  readonly isLast: boolean;
}

/** Binds every slice to the tensors of its models. */
export function sliceGroups(request: GroupRequest): SliceGroups {
  const { recipe, checkpoints } = request;
  const slices = recipe.slices ?? [];
  const faults: Fault[] = [];
  const groups: TensorGroup[] = [];
  const container = mainContainer(
    checkpointOf(checkpoints, slices[0]!.sources[0]!.model).tensors.keys(),
  );
  if (container === undefined) {
    const message = `Cannot take slices as the tensors of the first source stand in no numbered ` +
      `blocks: current value is ${show(slices[0]!.sources[0]!.model)}`;
    return { groups, faults: [{ path: "slices[0].sources[0].model", message }] };
  }
  let offset = 0;
  slices.forEach((slice, i) => {
    const path = `slices[${i}].sources`;
    const range = slice.sources[0]!.layer_range;
    const span = { container, offset, isFirst: i === 0, isLast: i === slices.length - 1 };
    const take = (name: string, [first, end]: readonly [number, number], at: string) => {
      const { tensors } = checkpointOf(checkpoints, name);
      const blocks = containersOf(tensors.keys()).get(container)?.length ?? 0;
      if (end > blocks) {
        faults.push({
          path: at,
          message:
            `Cannot take the blocks of "${name}" as layer_range must lie in [0, ${blocks}] ` +
            `(${container || "the top level"}): current value is ${show([first, end])}`,
        });
      }
      return takeTensors(tensors, [first, end], span);
    };
    const listed = slice.sources.map(({ model, parameters, layer_range }, k) => ({
      model,
      parameters,
      tensors: take(model, layer_range, joinPath(joinPath(path, k), "layer_range")),
    }));
    const base = recipe.base_model;
    const baseTensors = base === undefined || !usesBase(request, slice, base)
      ? undefined
      : listed.find(({ model }) => model === base)?.tensors ?? take(base, range, "base_model");
    groups.push(bindGroup(request, path, listed, baseTensors, [slice.parameters]));
    offset += range[1] - range[0];
  });
  return { groups, faults };
}

/** A base that is not listed gives the blocks of the slice's first source, where the method reads it. */
function usesBase(
  { recipe, method, kinds }: GroupRequest,
  { sources }: SliceEntry,
  base: string,
): boolean {
  const listed = sources.map(({ model }) => model);
  return method.base !== "listed" ||
    participants(listed, base, method, recipe.compat === "mergekit").includes(base) ||
    listed.some((name) => kinds.inputs.get(name) === "task_vector");
}

/** The container with the most blocks. */
function mainContainer(names: Iterable<string>): string | undefined {
  let main: string | undefined;
  let most = 0;
  for (const [container, blocks] of containersOf(names)) {
    if (blocks.length <= most) continue;
    main = container;
    most = blocks.length;
  }
  return main;
}

function takeTensors(
  tensors: ReadonlyMap<string, StoredTensor>,
  [first, end]: readonly [number, number],
  { container, offset, isFirst, isLast }: Span,
): ReadonlyMap<string, StoredTensor> {
  const blocks = containersOf(tensors.keys()).get(container) ?? [];
  const ranks = new Map(blocks.map((index, rank) => [index, rank]));
  const taken = new Map<string, StoredTensor>();
  for (const [name, tensor] of tensors) {
    const block = blockOf(name);
    if (block?.container === container) {
      const rank = ranks.get(block.index)!;
      if (rank < first || rank >= end) continue;
      const prefix = container === "" ? "" : `${container}.`;
      taken.set(`${prefix}${offset + rank - first}${block.rest}`, tensor);
    } else if (block === undefined && isAfterBlocks(name) ? isLast : isFirst) {
      taken.set(name, tensor);
    }
  }
  return taken;
}
