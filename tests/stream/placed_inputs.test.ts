import { assert, assertEquals } from "@std/assert";
import { workerPool } from "../../core/engine/pool.ts";
import { openFile } from "../../core/host/file_source.ts";
import { fileWorkers } from "../../core/host/file_workers.ts";
import { caughtProblem } from "../support/caught_problem.ts";
import { checkpointBytes, mergeBytes } from "../support/merging.ts";
import { inFolder } from "../support/temporary_folder.ts";

const COUNT = 50_000;
const FILES = Object.fromEntries(["base", "a", "b"].map((name, i) => [
  name,
  checkpointBytes({ w: Array.from({ length: COUNT }, (_, at) => Math.sin(at * (i + 1))) }),
]));
const TIES = {
  merge_method: "ties",
  base_model: "base",
  models: [{ model: "a" }, { model: "b" }],
  parameters: { density: 0.4, weight: 0.5 },
};

/** Merges from files; `change` is told each path once its file is open. */
async function mergeFiles(
  change: (path: string) => Promise<void> = () => Promise.resolve(),
  engine: "auto" | "wasm" = "auto",
): Promise<Uint8Array> {
  return await inFolder(async (folder) => {
    const executor = workerPool(2, engine, fileWorkers);
    try {
      return await mergeBytes(TIES, FILES, {
        executor,
        async open(name, bytes) {
          const path = `${folder}/${name}`;
          await Deno.writeFile(path, bytes);
          const source = await openFile(path);
          await change(path);
          return source;
        },
      });
    } finally {
      await executor.close();
    }
  });
}

Deno.test("workers that read files give what is given bytes, on both engines", async () => {
  assertEquals(await mergeFiles(), await mergeBytes(TIES, FILES));
  const executor = workerPool(1, "wasm");
  try {
    assertEquals(await mergeFiles(undefined, "wasm"), await mergeBytes(TIES, FILES, { executor }));
  } finally {
    await executor.close();
  }
});

Deno.test("a file that was removed or replaced while open is read as it was opened", async () => {
  const expected = await mergeBytes(TIES, FILES);
  assertEquals(await mergeFiles((path) => Deno.remove(path)), expected);
  const replaced = await mergeFiles(async (path) => {
    await Deno.writeFile(`${path}.new`, new Uint8Array(FILES["a"]!.length));
    await Deno.rename(`${path}.new`, path);
  });
  assertEquals(replaced, expected);
});

Deno.test("a file that became shorter while open is told with its byte", async () => {
  const problem = await caughtProblem(() =>
    mergeFiles((path) => path.endsWith("/a") ? Deno.truncate(path, 100_000) : Promise.resolve())
  );
  assertEquals(problem.kind, "invalid-checkpoint");
  assert(Number(problem.members.byte) >= 100_000, String(problem.members.byte));
});
