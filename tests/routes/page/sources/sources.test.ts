import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import type { NamedSource } from "../../../../routes/page/app/sources/named_source.ts";
import { filesOf, specsOf } from "../../../../routes/page/app/sources/named_source.ts";
import { originOf } from "../../../../routes/page/app/sources/origin_of.ts";
import { sortFiles } from "../../../../routes/page/app/sources/sort_files.ts";
import { sourceName } from "../../../../routes/page/app/sources/source_name.ts";

Deno.test("sources are called what their place is called", () => {
  const cases: [string, string][] = [
    ["left.safetensors", "left"],
    ["/a/b/My model (1).safetensors", "My-model-1"],
    ["https://hub.example/org/name/resolve/main/model.safetensors?x=1", "name"],
    ["https://hub.example/model.safetensors", "hub.example"],
    ["org/Mistral-7B-v0.1", "Mistral-7B-v0.1"],
    ["model.safetensors.index.json", "model"],
    ["adapter/adapter_model.safetensors", "adapter"],
    ["…", "model"],
    [".safetensors", "safetensors"],
  ];
  for (const [place, name] of cases) assertEquals(sourceName(place, []), name, place);
  assertEquals(sourceName("left.onnx", ["left", "left-2"]), "left-3");
});

Deno.test("whatever a place is called, its source's name is new, short, and no part of a configuration", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), fc.array(fc.string()), (place, taken) => {
    const name = sourceName(place, taken);
    return /^[\w.-]{1,64}$/.test(name) && !taken.includes(name) && !name.endsWith(".config");
  }));
});

Deno.test("an address is a URL, a repository of the hub or an id", () => {
  const id = `sha256:${"a".repeat(64)}`;
  assertEquals(originOf(` ${id} `), { type: "checkpoint", id });
  assertEquals(originOf("org/name"), { type: "hub", hub: "org/name" });
  assertEquals(originOf("org/name@v2"), { type: "hub", hub: "org/name", revision: "v2" });
  assertEquals(originOf("https://huggingface.co/org/name/tree/dev"), {
    type: "hub",
    hub: "org/name",
    revision: "dev",
  });
  const url = "https://example.org/a/model.safetensors";
  assertEquals(originOf(url), { type: "url", url });
  for (const text of ["", "name", "ftp://example.org/a", "sha256:abc", "a b/c", "https://"]) {
    assertEquals(originOf(text), undefined, text);
  }
});

/** A file as a folder that was dropped gives it. */
function file(path: string): File {
  const made = new File([], path.replace(/^.*\//, ""));
  if (path.includes("/")) Object.defineProperty(made, "webkitRelativePath", { value: path });
  return made;
}

Deno.test("an adapter is found with its configuration, an index with its shards, and a recipe apart", () => {
  const names = (files: readonly File[]) => files.map(({ name }) => name);
  const found = sortFiles([
    "a/adapter_model.safetensors",
    "a/adapter_config.json",
    "b/adapter_model.safetensors",
    "b/adapter_config.json",
    "c/model-00001-of-00002.safetensors",
    "c/model-00002-of-00002.safetensors",
    "c/model.safetensors.index.json",
    "ties.yaml",
    "base.safetensors",
  ].map(file));
  assertEquals(names(found.recipes), ["ties.yaml"]);
  assertEquals(found.configs, []);
  assertEquals(
    found.checkpoints.map(({ file, config, beside }) => [
      file.name,
      config?.webkitRelativePath ?? null,
      [...beside?.keys() ?? []].length,
    ]),
    [
      ["adapter_model.safetensors", "a/adapter_config.json", 0],
      ["adapter_model.safetensors", "b/adapter_config.json", 0],
      ["base.safetensors", null, 0],
      ["model.safetensors.index.json", null, 2],
    ],
  );
});

Deno.test("a configuration goes with the adapter of its name, and with none where that cannot be told", () => {
  const [left, right] = sortFiles(
    ["right.safetensors", "left.safetensors", "left.config.json"].map(file),
  ).checkpoints.toReversed();
  assertEquals([left?.config?.name, right?.config], ["left.config.json", undefined]);
  const two = sortFiles(["a.safetensors", "b.safetensors", "adapter_config.json"].map(file));
  assert(two.checkpoints.every(({ config }) => config === undefined));
  assertEquals(two.configs.length, 1);
  const one = sortFiles(["a.safetensors", "adapter_config.json"].map(file));
  assertEquals(one.checkpoints[0]?.config?.name, "adapter_config.json");
});

Deno.test("named sources give a document's sources and its file parts", () => {
  const [adapter, config] = [file("a.safetensors"), file("adapter_config.json")];
  const sources: NamedSource[] = [
    { name: "a", origin: { type: "file", file: adapter, config } },
    { name: "b", origin: { type: "url", url: "https://example.org/b" } },
    { name: "c", origin: { type: "hub", hub: "org/c", revision: "main" } },
    { name: "d", origin: { type: "checkpoint", id: "sha256:0" } },
  ];
  assertEquals(specsOf(sources), {
    a: { upload: true },
    b: { url: "https://example.org/b" },
    c: { hub: "org/c", revision: "main" },
    d: { checkpoint: "sha256:0" },
  });
  assertEquals([...filesOf(sources)], [["a", adapter], ["a.config", config]]);
});
