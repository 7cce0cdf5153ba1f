/**
 * Binds the tensors of a checkpoint to the initializers of a graph: by name, else by value, since exporters
 * rename, transpose and duplicate weights.
 *
 * @module
 */
import { isFloat } from "../onnx/element_type.ts";
import type { OnnxTensor, Value } from "../onnx/model.ts";
import { sameShape } from "./broadcast.ts";

/** How an initializer is made from its tensor. */
export type Arrangement = "same" | "transposed" | "reshaped";

/** An initializer that takes its values from a tensor of the checkpoint. */
export interface Binding {
  readonly initializer: Value;
  /** Name of the tensor in the checkpoint. */
  readonly tensor: string;
  readonly arrangement: Arrangement;
  readonly by: "name" | "value";
}

/** A tensor of the checkpoint, as numbers. */
export interface BindableTensor {
  readonly name: string;
  readonly shape: readonly number[];
  /** The values that the graph was exported with, float32; asked for only where the name binds nothing. */
  read(): Promise<Float32Array>;
}

/** What was bound, and what was not. */
export interface Bindings {
  readonly bound: readonly Binding[];
  /** Tensors that equal a bound one, which the exporter therefore kept once: the name of that one by theirs. */
  readonly tied: ReadonlyMap<string, string>;
  /** Tensors that no initializer takes its values from. */
  readonly unboundTensors: readonly string[];
  /** Floating-point initializers that are bound to no tensor. */
  readonly unboundInitializers: readonly Value[];
  /** Tensors whose values are those of several initializers or tensors, so that nobody can say which is which. */
  readonly ambiguous: readonly {
    readonly tensor: string;
    readonly candidates: readonly string[];
  }[];
  /** Pairs of one name whose shapes do not fit. */
  readonly misshapen: readonly {
    readonly name: string;
    readonly tensor: readonly number[];
    readonly initializer: readonly number[];
  }[];
}

/**
 * Binds by name first. The tensors that are left are compared with the initializers that are left: equal values
 * of equal shape, transposed (two axes), or with other axes of size 1.
 *
 * @param initializers Those of the graph in normal form: float32.
 * @param tensors The floating-point tensors of the checkpoint.
 */
export async function bindTensors(
  initializers: ReadonlyMap<Value, OnnxTensor>,
  tensors: readonly BindableTensor[],
): Promise<Bindings> {
  const bound: Binding[] = [];
  const misshapen: Bindings["misshapen"][number][] = [];
  const free = new Map([...initializers].filter(([, { type }]) => isFloat(type)));
  const open: BindableTensor[] = [];
  for (const tensor of tensors) {
    const named = free.get(tensor.name);
    if (!named) {
      open.push(tensor);
      continue;
    }
    free.delete(tensor.name);
    const arrangement = sameShape(tensor.shape, named.shape) ? "same" : undefined;
    if (arrangement) {
      bound.push({ initializer: tensor.name, tensor: tensor.name, arrangement, by: "name" });
    } else {
      misshapen.push({ name: tensor.name, tensor: tensor.shape, initializer: named.shape });
    }
  }
  // A weight that is bound by its name may stand in the graph again, transposed for another use.
  const named = tensors.filter(({ name }) => !open.some((tensor) => tensor.name === name));
  const byValue = await bindByValue(free, open, named);
  bound.push(...byValue.bound);
  const taken = new Set(bound.map(({ initializer }) => initializer));
  const used = new Set(bound.map(({ tensor }) => tensor));
  const unclear = new Set(byValue.ambiguous.map(({ tensor }) => tensor));
  const left = open.filter(({ name }) => !used.has(name) && !unclear.has(name));
  const tied = await findTied(left, tensors.filter(({ name }) => used.has(name)));
  return {
    bound,
    misshapen,
    ambiguous: byValue.ambiguous,
    tied,
    unboundTensors: left.map(({ name }) => name).filter((name) => !tied.has(name)),
    unboundInitializers: [...free.keys()].filter((name) => !taken.has(name)),
  };
}

/** Tensors of one value throughout (fresh biases, scales) say nothing and are never taken for tied. */
async function findTied(
  left: readonly BindableTensor[],
  bound: readonly BindableTensor[],
): Promise<Map<string, string>> {
  const tied = new Map<string, string>();
  for (const tensor of left) {
    const alike = bound.filter(({ shape }) => sameShape(shape, tensor.shape));
    if (alike.length === 0) continue;
    const values = await tensor.read();
    if (values.every((value) => value === values[0])) continue;
    for (const other of alike) {
      const theirs = await other.read();
      if (!equal(values, tensor.shape, theirs, "same")) continue;
      tied.set(tensor.name, other.name);
      break;
    }
  }
  return tied;
}

async function bindByValue(
  free: ReadonlyMap<Value, OnnxTensor>,
  open: readonly BindableTensor[],
  named: readonly BindableTensor[],
): Promise<Pick<Bindings, "bound" | "ambiguous">> {
  /** For every initializer the tensors that it equals. */
  const matches = new Map<Value, { tensor: string; arrangement: Arrangement }[]>();
  const size = (shape: readonly number[]) => shape.reduce((product, length) => product * length, 1);
  for (const tensor of [...open, ...named]) {
    const again = named.includes(tensor);
    const fitting = [...free].filter(([name, { type, shape }]) =>
      type === "float32" && arrangements(tensor.shape, shape).length > 0 &&
      // Small constants are equal by chance, and an initializer that a tensor is looked for goes to that.
      !(again && (size(shape) < 2 || matches.has(name)))
    );
    if (fitting.length === 0) continue;
    const values = await tensor.read();
    for (const [name, initializer] of fitting) {
      const theirs = new Float32Array(initializer.bytes.slice().buffer);
      const found = arrangements(tensor.shape, initializer.shape).find((arrangement) =>
        equal(values, tensor.shape, theirs, arrangement)
      );
      if (found === undefined) continue;
      const list = matches.get(name) ?? [];
      list.push({ tensor: tensor.name, arrangement: found });
      matches.set(name, list);
    }
  }
  const bound: Binding[] = [];
  const unclear = new Map<string, Set<string>>();
  for (const [initializer, list] of matches) {
    const [only] = list;
    if (list.length === 1 && only) {
      bound.push({ initializer, ...only, by: "value" });
      continue;
    }
    for (const { tensor } of list) {
      const candidates = unclear.get(tensor) ?? new Set();
      candidates.add(initializer);
      unclear.set(tensor, candidates);
    }
  }
  return {
    bound,
    ambiguous: [...unclear].map(([tensor, names]) => ({ tensor, candidates: [...names] })),
  };
}

/** The ways in which a tensor of one shape may stand in a graph as another. */
function arrangements(tensor: readonly number[], initializer: readonly number[]): Arrangement[] {
  const ways: Arrangement[] = [];
  if (sameShape(tensor, initializer)) ways.push("same");
  else if (sameShape(withoutOnes(tensor), withoutOnes(initializer))) ways.push("reshaped");
  if (tensor.length === 2 && tensor[0] === initializer[1] && tensor[1] === initializer[0]) {
    if (initializer.length === 2) ways.push("transposed");
  }
  return ways;
}

function withoutOnes(shape: readonly number[]): number[] {
  return shape.filter((size) => size !== 1);
}

function equal(
  values: Float32Array,
  shape: readonly number[],
  theirs: Float32Array,
  arrangement: Arrangement,
): boolean {
  if (arrangement !== "transposed") return values.every((value, i) => Object.is(value, theirs[i]));
  const [rows = 0, columns = 0] = shape;
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      if (!Object.is(values[row * columns + column], theirs[column * rows + row])) return false;
    }
  }
  return true;
}
