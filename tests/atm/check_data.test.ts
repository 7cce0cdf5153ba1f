import { assert, assertEquals, assertRejects } from "@std/assert";
import { openTaskData } from "../../core/atm/batches.ts";
import { checkData } from "../../core/atm/check_data.ts";
import type { RowIndices } from "../../core/atm/shard/read_rows.ts";
import type { Shard, ShardColumn } from "../../core/atm/shard/shard.ts";
import { checkTargetValues } from "../../core/gradient/losses/mod.ts";
import { numbersOf } from "../../core/onnx/element_type.ts";
import type { ValueInfo } from "../../core/onnx/model.ts";
import { caughtProblem } from "../support/caught_problem.ts";
import { arrays, shardOf } from "./made_shard.ts";
import { taskOn } from "./made_task.ts";

const GRAPH: ValueInfo[] = [{ name: "x", type: "float32" }];

function opened(shard: Shard, loss?: string) {
  return openTaskData(shard, taskOn("tune", {}, loss), GRAPH);
}

/** A column that notes which rows are read. */
function watched(
  column: ShardColumn,
): { readonly column: ShardColumn; readonly reads: number[][] } {
  const reads: number[][] = [];
  const read = (indices: RowIndices, signal?: AbortSignal) => {
    reads.push([...indices]);
    return column.read(indices, signal);
  };
  return { column: { ...column, read }, reads };
}

Deno.test("NaN in any row is found before the first step", async () => {
  const values = new Float32Array(5000).fill(1);
  const y = arrays("y", [], new Uint8Array(5000));
  assertEquals((await checkData(opened(shardOf(5000, [arrays("x", [], values), y])))).labels, {
    longest: 5000,
    expected: 5000,
    sorted: false,
    commonest: 1,
  });
  values[4321] = NaN;
  const problem = await caughtProblem(() =>
    checkData(opened(shardOf(5000, [arrays("x", [], values), y])))
  );
  assertEquals([problem.kind, problem.members.row], ["non-finite", 4321]);
});

Deno.test("targets are checked in the order of their rows, in parts", async () => {
  // 8 bytes a label, so that 1 MiB holds 131072 of them.
  const rows = 300_000;
  const labels = Uint8Array.from({ length: rows }, (_, row) => row % 3);
  const y = watched(arrays("y", [], labels));
  const x = watched(arrays("x", [], new Uint8Array(rows)));
  const data = opened(shardOf(rows, [x.column, y.column]));
  const firsts: number[] = [];
  const seen: number[] = [];
  await checkData(data, {
    checkTargets(target, first) {
      assertEquals(target.type, "int64");
      firsts.push(first);
      for (const label of numbersOf(target)) seen.push(label);
    },
  });
  assertEquals(firsts, [0, 131_072, 262_144]);
  assertEquals(y.reads.map((read) => read.length), [131_072, 131_072, 37_856]);
  assert(seen.every((label, row) => label === labels[row]));
  assertEquals(seen.length, rows);
  // 8-bit integers cannot be refused as float32, so nobody reads them.
  assertEquals(x.reads, []);
});

Deno.test("a class beyond the output is refused with task, shard, array, row and value", async () => {
  const labels = Uint8Array.from({ length: 140_000 }, (_, row) => row === 139_000 ? 10 : row % 10);
  const x = arrays("x", [], new Uint8Array(140_000));
  const data = opened(shardOf(140_000, [x, arrays("y", [], labels)]));
  const { loss } = taskOn("tune", {});
  const check = (classes: number) =>
    checkData(data, {
      checkTargets: (target, first) =>
        checkTargetValues(loss, classes, numbersOf(target), 1, first),
    });
  await check(11);
  const problem = await caughtProblem(() => check(10));
  assertEquals(problem.kind, "mismatch");
  assertEquals(problem.members, {
    task: "t",
    source: "tune",
    tensor: "y",
    row: 139_000,
    value: "10",
  });
});

Deno.test("a shard that is sorted by class is told from a mixed one", async () => {
  const rows = 1000;
  const x = arrays("x", [], new Uint8Array(rows));
  const labels = async (of: (row: number) => number) => {
    const y = arrays("y", [], Uint8Array.from({ length: rows }, (_, row) => of(row)));
    return (await checkData(opened(shardOf(rows, [x, y])))).labels!;
  };
  const sorted = await labels((row) => Math.floor(row / 100));
  assertEquals([sorted.longest, sorted.sorted], [100, true]);
  const mixed = await labels((row) => row * 7 % 10);
  assertEquals([mixed.longest, mixed.sorted], [1, false]);
});

Deno.test("numbers have no runs of labels", async () => {
  const shard = shardOf(3, [
    arrays("x", [], new Uint8Array(3)),
    arrays("y", [2], Float32Array.of(0, 1, 0, 1, 0, 1)),
  ]);
  assertEquals(await checkData(opened(shard, "mse")), {});
  assertEquals(await checkData(opened(shard)), {});
});

Deno.test("looking through a shard can be aborted", async () => {
  const shard = shardOf(3, [
    arrays("x", [], new Float32Array(3)),
    arrays("y", [], new Uint8Array(3)),
  ]);
  const signal = AbortSignal.abort(new RangeError("enough"));
  await assertRejects(() => checkData(opened(shard), { signal }), RangeError, "enough");
});
