/**
 * The tensors of a checkpoint as a tree by the parts of their names.
 *
 * @module
 */
import type { OutlinedTensor } from "../sources/named_source.ts";
import { tensorBytes } from "./tensor_bytes.ts";

/** A part of names with what is below it. */
export interface TensorBranch {
  /** The whole name up to here. */
  readonly path: string;
  /** What is shown: the parts since the branch above. */
  readonly title: string;
  readonly branches: readonly TensorBranch[];
  /** Set on a leaf. */
  readonly tensor?: OutlinedTensor;
  readonly tensors: number;
  readonly elements: number;
  readonly bytes: number;
}

interface Node {
  readonly children: Map<string, Node>;
  tensor?: OutlinedTensor;
}

/** Makes the tree; branches with a single one below are drawn together, numbers are in the order of their value. */
export function tensorBranches(tensors: readonly OutlinedTensor[]): readonly TensorBranch[] {
  const root: Node = { children: new Map() };
  for (const tensor of tensors) {
    let node = root;
    for (const part of tensor.name.split(/[./]/)) {
      let next = node.children.get(part);
      if (!next) node.children.set(part, next = { children: new Map() });
      node = next;
    }
    node.tensor = tensor;
  }
  return childrenOf(root, "");
}

function childrenOf(node: Node, path: string): TensorBranch[] {
  const names = [...node.children.keys()];
  if (names.every((name) => /^\d+$/.test(name))) names.sort((a, b) => Number(a) - Number(b));
  return names.map((name) =>
    branchOf(node.children.get(name)!, path === "" ? name : `${path}.${name}`, name)
  );
}

function branchOf(node: Node, path: string, title: string): TensorBranch {
  const [only] = node.children;
  if (only && node.children.size === 1 && node.tensor === undefined) {
    return branchOf(only[1], `${path}.${only[0]}`, `${title}.${only[0]}`);
  }
  const branches = childrenOf(node, path);
  const own = node.tensor;
  const elements = own ? own.shape.reduce((product, size) => product * size, 1) : 0;
  return {
    path: branches.length === 0 && own ? own.name : path,
    title,
    branches: own && branches.length > 0 ? [leaf(own, elements), ...branches] : branches,
    ...(own && branches.length === 0 ? { tensor: own } : {}),
    tensors: (own ? 1 : 0) + sum(branches, "tensors"),
    elements: elements + sum(branches, "elements"),
    bytes: (own ? tensorBytes(own) : 0) + sum(branches, "bytes"),
  };
}

/** A tensor whose name is also the beginning of others'. */
function leaf(tensor: OutlinedTensor, elements: number): TensorBranch {
  const bytes = tensorBytes(tensor);
  return {
    path: tensor.name,
    title: "(itself)",
    branches: [],
    tensor,
    tensors: 1,
    elements,
    bytes,
  };
}

function sum(branches: readonly TensorBranch[], key: "tensors" | "elements" | "bytes"): number {
  return branches.reduce((total, branch) => total + branch[key], 0);
}

/** A row of the tree as it is drawn. */
export interface TreeRow {
  readonly branch: TensorBranch;
  /** From 1. */
  readonly level: number;
  /** Place among its siblings from 1, and their number. */
  readonly place: number;
  readonly siblings: number;
}

/** The rows that are seen with these branches open, by their paths. */
export function treeRows(
  branches: readonly TensorBranch[],
  open: ReadonlySet<string>,
  level = 1,
): TreeRow[] {
  const rows: TreeRow[] = [];
  branches.forEach((branch, i) => {
    rows.push({ branch, level, place: i + 1, siblings: branches.length });
    if (!branch.tensor && open.has(branch.path)) {
      for (const row of treeRows(branch.branches, open, level + 1)) rows.push(row);
    }
  });
  return rows;
}
