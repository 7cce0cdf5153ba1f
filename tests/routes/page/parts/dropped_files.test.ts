import { assertEquals } from "@std/assert";
import { droppedFiles } from "../../../../routes/page/app/parts/dropped_files.ts";

/** A tree of files as a browser gives it: names of files, and folders by their names. */
interface Tree {
  readonly [name: string]: Tree | null;
}

function entryOf(name: string, content: Tree | null, above = ""): unknown {
  const fullPath = `${above}/${name}`;
  if (content === null) {
    return {
      isDirectory: false,
      fullPath,
      file: (done: (file: File) => void) => done(new File([], name)),
    };
  }
  return {
    isDirectory: true,
    fullPath,
    createReader() {
      const rest = Object.entries(content).map(([name, inner]) => entryOf(name, inner, fullPath));
      // Two at a time, as a browser gives a hundred.
      return { readEntries: (done: (some: unknown[]) => void) => done(rest.splice(0, 2)) };
    },
  };
}

function transfer(tree: Tree, hasEntries = true): DataTransfer {
  const names = Object.entries(tree);
  return {
    items: names.map(([name, content]) => ({
      kind: "file",
      webkitGetAsEntry: () => hasEntries ? entryOf(name, content) : null,
    })),
    files: names.map(([name]) => new File([], name)),
  } as unknown as DataTransfer;
}

Deno.test("files of a dropped folder keep their path, and files beside it have none", async () => {
  const files = await droppedFiles(transfer({
    "base.safetensors": null,
    first: {
      "adapter_model.safetensors": null,
      "adapter_config.json": null,
      inner: { "a.safetensors": null, "b.safetensors": null },
    },
  }));
  assertEquals(files.map(({ name, webkitRelativePath }) => webkitRelativePath || name), [
    "base.safetensors",
    "first/adapter_model.safetensors",
    "first/adapter_config.json",
    "first/inner/a.safetensors",
    "first/inner/b.safetensors",
  ]);
});

Deno.test("a browser without entries gives plain files, and a drop of none gives none", async () => {
  const files = await droppedFiles(transfer({ "a.safetensors": null }, false));
  assertEquals(files.map(({ name }) => name), ["a.safetensors"]);
  assertEquals(await droppedFiles(null), []);
});

Deno.test("of a folder without end only so many files are taken", async () => {
  const many = Object.fromEntries(Array.from({ length: 2500 }, (_, i) => [`${i}.txt`, null]));
  assertEquals((await droppedFiles(transfer({ many }))).length, 2000);
});
