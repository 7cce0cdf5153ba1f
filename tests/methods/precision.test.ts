import { assert, assertEquals } from "@std/assert";
import { METHODS } from "../../core/methods/mod.ts";
import { encodeFrom } from "../../core/tensor/codec.ts";
import { type DType, DTYPES } from "../../core/tensor/dtype.ts";
import { caughtProblem } from "../support/caught_problem.ts";
import { checkpointBytes, checkpointValues, mergeBytes } from "../support/merging.ts";
import {
  gridCheckpoint,
  methodRecipe,
  MODEL_NAMES,
  PLAIN_METHODS,
  TENSORS,
} from "../support/method_recipes.ts";

type Files = Record<string, Uint8Array<ArrayBuffer>>;

function filesOf(name: string, dtype: DType, scale = 1): Files {
  const models = (methodRecipe(name).models as { model: string }[]).map(({ model }) => model);
  const names = [...(METHODS.get(name)!.base === "listed" ? [] : ["base"]), ...models];
  return Object.fromEntries(
    names.map((each) => [
      each,
      checkpointBytes(gridCheckpoint(MODEL_NAMES.indexOf(each) + 2, dtype, scale)),
    ]),
  );
}

/** The bytes of every tensor. */
async function tensorsOf(recipe: Record<string, unknown>, files: Files) {
  const bytes = await mergeBytes(recipe, files);
  const length = 8 + Number(new DataView(bytes.buffer).getBigUint64(0, true));
  return { data: bytes.slice(length), values: await checkpointValues(bytes) };
}

for (const name of PLAIN_METHODS) {
  Deno.test(`${name}: inputs of 16 bits are their values, and an output of 16 bits is the float32 result, rounded`, async () => {
    const recipe = methodRecipe(name);
    const wide = await tensorsOf({ ...recipe, out_dtype: "float32" }, filesOf(name, "F32"));
    for (const dtype of ["BF16", "F16"] as const) {
      const files = filesOf(name, dtype);
      const read = await tensorsOf({ ...recipe, out_dtype: "float32" }, files);
      assertEquals(read.data, wide.data, `${dtype} in`);
      const written = await tensorsOf(recipe, files);
      for (const tensor of TENSORS) {
        const exact = wide.values[tensor]!;
        const expected = new Uint8Array(exact.length * DTYPES[dtype].bytes);
        encodeFrom(dtype, exact, expected, { saturate: false });
        const actual = new Uint8Array(expected.length);
        encodeFrom(dtype, written.values[tensor]!, actual, { saturate: false });
        assertEquals(actual, expected, `${tensor} as ${dtype}`);
      }
    }
  });

  Deno.test(`${name}: near the end of float16 a result is right, the largest number or an error, never NaN`, async () => {
    const recipe = methodRecipe(name);
    // The grid reaches 2; the largest float16 is 65504.
    const files = filesOf(name, "F16", 32000);
    const saturated = await tensorsOf({ ...recipe, saturate: true }, files);
    for (const tensor of TENSORS) {
      for (const value of saturated.values[tensor]!) {
        assert(Math.abs(value) <= 65504, `${tensor} holds ${value}`);
      }
    }
    const wide = await tensorsOf({ ...recipe, out_dtype: "float32" }, files);
    const overflows = TENSORS.some((tensor) =>
      wide.values[tensor]!.some((value) => Math.abs(value) >= 65520)
    );
    if (!overflows) {
      assertEquals((await tensorsOf(recipe, files)).data, saturated.data);
      return;
    }
    const problem = await caughtProblem(() => mergeBytes(recipe, files));
    assertEquals(problem.kind, "non-finite");
  });
}

Deno.test("8-bit floats are read only where that was asked for, and are their values then", async () => {
  for (const name of ["linear", "task_arithmetic", "ties", "slerp"]) {
    const recipe = methodRecipe(name);
    const eighths = filesOf(name, "F8_E4M3");
    const refused = await caughtProblem(() => mergeBytes(recipe, eighths));
    assert(["unsupported-dtype", "invalid-recipe"].includes(refused.kind), refused.kind);
    const asked = { ...recipe, float8: "unscaled", out_dtype: "float32" };
    const exact: Files = {};
    for (const [file, bytes] of Object.entries(eighths)) {
      const values = await checkpointValues(bytes);
      exact[file] = checkpointBytes(
        Object.fromEntries(
          TENSORS.map((tensor) => [tensor, { shape: [3, 4], values: values[tensor]! }]),
        ),
      );
    }
    assertEquals(
      (await tensorsOf(asked, eighths)).data,
      (await tensorsOf({ ...recipe, out_dtype: "float32" }, exact)).data,
    );
  }
});
