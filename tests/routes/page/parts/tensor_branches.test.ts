import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  type TensorBranch,
  tensorBranches,
  treeRows,
} from "../../../../routes/page/app/parts/tensor_branches.ts";
import { tensorBytes } from "../../../../routes/page/app/parts/tensor_bytes.ts";

function tensor(name: string, shape: readonly number[] = [2, 3], dtype = "BF16") {
  return { name, dtype, shape };
}

Deno.test("tensors stand by layer, in the order of the layers' numbers, and single branches are one", () => {
  const names = ["h.10.w", "h.2.w", "h.2.b", "head.weight", "norm"];
  const [layers, head, norm] = tensorBranches(names.map((name) => tensor(name)));
  assertEquals(layers?.branches.map(({ title }) => title), ["2", "10.w"]);
  assertEquals(layers?.branches[0]?.branches.map(({ path }) => path), ["h.2.w", "h.2.b"]);
  assertEquals([head?.title, head?.tensor?.name], ["head.weight", "head.weight"]);
  assertEquals([norm?.bytes, layers?.bytes, layers?.tensors], [12, 36, 3]);
});

Deno.test("a tensor whose name begins others' names stands among them", () => {
  const [branch] = tensorBranches([tensor("a"), tensor("a.b"), tensor("a.c")]);
  assertEquals(branch?.branches.map(({ title }) => title), ["(itself)", "b", "c"]);
  assertEquals([branch?.tensors, branch?.elements], [3, 18]);
});

Deno.test("whatever the names are, every tensor stands in the tree once", () => {
  const name = fc.array(fc.constantFrom("a", "b", "0", "1", "10", "weight"), {
    minLength: 1,
    maxLength: 4,
  }).map((parts) => parts.join("."));
  fc.assert(fc.property(fc.uniqueArray(name, { maxLength: 30 }), (names) => {
    const tensors = names.map((each, i) => tensor(each, [i + 1]));
    const branches = tensorBranches(tensors);
    const open = new Set<string>();
    const leaves: string[] = [];
    const visit = (branch: TensorBranch) => {
      open.add(branch.path);
      if (branch.tensor) leaves.push(branch.tensor.name);
      branch.branches.forEach(visit);
    };
    branches.forEach(visit);
    assertEquals(leaves.toSorted(), names.toSorted());
    const bytes = branches.reduce((sum, branch) => sum + branch.bytes, 0);
    assertEquals(bytes, tensors.reduce((sum, each) => sum + tensorBytes(each), 0));
    const rows = treeRows(branches, open);
    assertEquals(rows.filter(({ branch }) => branch.tensor).length, names.length);
    assert(treeRows(branches, new Set()).every(({ level }) => level === 1));
  }));
});

Deno.test("sizes follow from the type's name", () => {
  for (
    const [dtype, bytes] of [["F32", 24], ["BOOL", 6], ["F8_E4M3", 6], ["I64", 48], [
      "F4",
      3,
    ]] as const
  ) {
    assertEquals(tensorBytes({ dtype, shape: [2, 3] }), bytes);
  }
  assertEquals(tensorBytes({ dtype: "F32", shape: [] }), 4);
});
