import { assertEquals } from "@std/assert";
import { blockOf, positions } from "../../core/merge/layers.ts";

Deno.test("blockOf() splits at the first component that is an integer", () => {
  assertEquals(blockOf("model.layers.12.mlp.experts.3.w"), {
    container: "model.layers",
    index: 12,
    rest: ".mlp.experts.3.w",
  });
  assertEquals(blockOf("0.weight"), { container: "", index: 0, rest: ".weight" });
  assertEquals(blockOf("h.7"), { container: "h", index: 7, rest: "" });
  assertEquals(blockOf("conv1.weight"), undefined);
  assertEquals(blockOf("a.1x.b"), undefined);
});

Deno.test("positions() ranks the blocks of each container on its own", () => {
  const t = positions(["a.0.w", "a.2.w", "a.2.b", "a.10.w", "b.3.w", "b.4.w", "c.9.w"]);
  assertEquals(["a.0.w", "a.2.b", "a.10.w", "b.3.w", "b.4.w", "c.9.w"].map(t), [
    0,
    0.5,
    1,
    0,
    1,
    1,
  ]);
});

Deno.test("positions() puts tensors outside blocks first or last", () => {
  const names = ["model.embed_tokens.weight", "model.norm.weight", "lm_head.weight", "ln_f.bias"];
  assertEquals(names.map(positions(names)), [0, 1, 1, 1]);
  assertEquals(names.map(positions(names, { compat: true })), [0, 0, 0, 0]);
});

Deno.test("positions() lets a recipe override them", () => {
  const overrides = [{ filter: "embed", value: 0.25 }, { filter: "a.0", value: 0.75 }];
  const t = positions(["a.0.w", "a.1.w", "embed"], { overrides });
  assertEquals(["a.0.w", "a.1.w", "embed"].map(t), [0.75, 1, 0.25]);
});
