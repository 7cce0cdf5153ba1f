import { assert, assertEquals } from "@std/assert";
import { onnxWorkspace } from "../../core/engine/onnx_workspace.ts";
import { remoteWorkspaces } from "../../core/engine/remote_workspace.ts";
import { numbersOf, tensorOf } from "../../core/onnx/element_type.ts";
import { smallModel } from "../support/small_model.ts";

Deno.test("a workspace on a worker does what one on this thread does, and passes on problems", async () => {
  const [here, there] = [onnxWorkspace(), remoteWorkspaces()()];
  try {
    for (const workspace of [here, there]) {
      await workspace.load("net", smallModel());
      const x = tensorOf("float32", [2, 4], [1, 2, 3, 4, 5, 6, 7, 8]);
      const { logits } = await workspace.run("net", { x });
      assertEquals(logits!.shape, [2, 3]);
      await workspace.place({ x });
      assertEquals((await workspace.run("net", {}))["logits"], logits);
      assertEquals(numbersOf((await workspace.read(["x"]))["x"]!), numbersOf(x));
      const failed = await workspace.load("bad", new Uint8Array([1, 2, 3])).catch((error) => error);
      assertEquals(failed.kind, "unsupported-operator");
    }
    const [a, b] = await Promise.all(
      [here, there].map((w) => w.run("net", { x: tensorOf("float32", [1, 4], [1, 0, -1, 2]) })),
    );
    assertEquals(a, b);
  } finally {
    await here.close();
    await there.close();
  }
  const late = await there.run("net", {}).catch((error) => error);
  assert(late instanceof Error);
});
