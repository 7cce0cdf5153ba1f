import { assertEquals, assertRejects } from "@std/assert";
import type { ByteSource } from "../../core/checkpoint/byte_source.ts";
import { memorySource } from "../../core/checkpoint/memory_source.ts";
import { openSafetensors } from "../../core/checkpoint/open_safetensors.ts";
import { safetensorsBytes } from "../support/safetensors_bytes.ts";

/** A source that records what is read. */
function recorded(source: ByteSource): { source: ByteSource; reads: [number, number][] } {
  const reads: [number, number][] = [];
  return {
    reads,
    source: {
      byteLength: source.byteLength,
      slice(start, end, signal) {
        reads.push([start, end]);
        return source.slice(start, end, signal);
      },
      close: () => source.close?.(),
    },
  };
}

const tensor = `"w":{"dtype":"U8","shape":[100000],"data_offsets":[0,100000]}`;

Deno.test("a short header costs one read", async () => {
  const { source, reads } = recorded(memorySource(safetensorsBytes(`{${tensor}}`, 100_000)));
  const checkpoint = await openSafetensors(source);
  assertEquals(reads, [[0, 65536]]);
  assertEquals(checkpoint.byteLength, source.byteLength);
  const { name, dtype, shape, start, end } = checkpoint.tensors.get("w")!;
  assertEquals({ name, dtype, shape }, { name: "w", dtype: "U8", shape: [100_000] });
  assertEquals([start, end], [source.byteLength - 100_000, source.byteLength]);
});

Deno.test("a long header costs two reads, whatever lies around the first one's end", async () => {
  for (const length of [65528, 65529, 200_000]) {
    const bytes = safetensorsBytes(`{${tensor}}`.padEnd(length, " "), 100_000);
    const { source, reads } = recorded(memorySource(bytes));
    const checkpoint = await openSafetensors(source);
    assertEquals([...checkpoint.tensors.keys()], ["w"]);
    const second = length > 65528 ? [[65536, 8 + length]] : [];
    assertEquals(reads, [[0, 65536], ...second] as [number, number][]);
  }
});

Deno.test("the kind comes from the metadata unless the caller says otherwise", async () => {
  const open = (metadata: string, kind?: "adapter") =>
    openSafetensors(
      memorySource(safetensorsBytes(`{"__metadata__":${metadata}}`, 0)),
      kind === undefined ? {} : { kind },
    );
  assertEquals((await open(`{"kind":"task_vector"}`)).kind, "task_vector");
  assertEquals((await open(`{"kind":"adapter","x":"y"}`)).metadata, { kind: "adapter", x: "y" });
  assertEquals((await open(`{"kind":"something"}`)).kind, "weights");
  assertEquals((await open(`{}`)).kind, "weights");
  assertEquals((await open(`{"kind":"task_vector"}`, "adapter")).kind, "adapter");
});

Deno.test("closing a checkpoint closes its source, and a signal ends the opening", async () => {
  const source = memorySource(safetensorsBytes("{}", 0));
  const stopped = AbortSignal.abort(new Error("enough"));
  await assertRejects(() => openSafetensors(source, { signal: stopped }), Error, "enough");
  const checkpoint = await openSafetensors(source);
  checkpoint.close();
  await assertRejects(() => source.slice(0, 1), RangeError, "closed");
});
