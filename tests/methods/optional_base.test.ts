import { assertEquals } from "@std/assert";
import { caughtProblem } from "../support/caught_problem.ts";
import { checkpointBytes, checkpointValues, mergeBytes } from "../support/merging.ts";
import { close } from "./merge_vectors.ts";

const base = [4, -2, 1, 8];
const deltas = [[1, 0, 2, -1], [0.5, 3, -1, 2]];
const file = (values: readonly number[], kind?: string) =>
  checkpointBytes({ w: values }, kind === undefined ? {} : { kind });
const vectors = { a: file(deltas[0]!, "task_vector"), b: file(deltas[1]!, "task_vector") };
const models = deltas.map((delta) => delta.map((value, j) => value + base[j]!));
const weights = { a: file(models[0]!), b: file(models[1]!) };

async function run(
  merge_method: string,
  files: Record<string, Uint8Array>,
  isOnBase: boolean,
): Promise<{ values: number[]; kind: string | undefined }> {
  const bytes = await mergeBytes({
    merge_method,
    ...(isOnBase ? { base_model: "base" } : {}),
    models: [{ model: "a", parameters: { weight: 0.3 } }, { model: "b" }],
  }, { ...files, ...(isOnBase ? { base: file(base) } : {}) });
  const text = new TextDecoder().decode(bytes);
  const { w } = await checkpointValues(bytes);
  return { values: [...w!], kind: /"kind":"([a-z_]+)"/.exec(text)?.[1] };
}

for (const method of ["nuslerp", "multislerp"]) {
  Deno.test(`${method}: task vectors on a base, and without one as they are`, async () => {
    const alone = await run(method, vectors, false);
    assertEquals(alone.kind, "task_vector");
    const onBase = await run(method, vectors, true);
    assertEquals(onBase.kind, "weights");
    close(onBase.values, alone.values.map((value, j) => value + base[j]!));
    close((await run(method, weights, true)).values, onBase.values);
    const asWeights = await run(method, weights, false);
    assertEquals(asWeights.kind, "weights");
    // Without a base the weights themselves are interpolated, which is something else.
    assertEquals(asWeights.values.every((value, j) => value === onBase.values[j]), false);
  });

  Deno.test(`${method}: a base among the models is left out, mixed kinds need a base`, async () => {
    const bytes = await mergeBytes({
      merge_method: method,
      base_model: "base",
      models: [{ model: "base" }, { model: "a" }, { model: "b" }],
    }, { ...weights, base: file(base) });
    const without = await mergeBytes({
      merge_method: method,
      base_model: "base",
      models: [{ model: "a" }, { model: "b" }],
    }, { ...weights, base: file(base) });
    assertEquals(await checkpointValues(bytes), await checkpointValues(without));
    const mixed = () =>
      mergeBytes(
        { merge_method: method, models: [{ model: "a" }, { model: "b" }] },
        { ...weights, b: vectors.b },
      );
    assertEquals((await caughtProblem(mixed)).kind, "invalid-recipe");
  });
}
