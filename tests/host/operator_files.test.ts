import { assertEquals } from "@std/assert";
import { type OperatorFile, operatorFiles } from "../../core/host/operator_files.ts";
import { caughtProblem } from "../support/caught_problem.ts";
import { inFolder } from "../support/temporary_folder.ts";

/** A folder of the operator with models as they are downloaded, and a file outside of it. */
async function withModels(
  body: (open: (path: string) => Promise<OperatorFile>, folder: string) => Promise<void>,
) {
  await inFolder(async (folder) => {
    const models = `${folder}/models`;
    const files: Record<string, readonly string[]> = {
      whole: ["config.json", "model.safetensors"],
      sharded: ["model-00001-of-00002.safetensors", "model.safetensors.index.json"],
      adapter: ["adapter_config.json", "adapter_model.safetensors"],
      empty: ["config.json"],
    };
    for (const [name, inside] of Object.entries(files)) {
      await Deno.mkdir(`${models}/${name}`, { recursive: true });
      for (const file of inside) await Deno.writeTextFile(`${models}/${name}/${file}`, file);
    }
    await Deno.writeTextFile(`${folder}/secret.safetensors`, "secret");
    await Deno.mkdir(`${models}/linked`);
    await Deno.symlink(`${folder}/secret.safetensors`, `${models}/linked/model.safetensors`);
    await Deno.symlink(folder, `${models}/out`);
    await body(operatorFiles(models), models);
  });
}

/** Where the opened file lies and what it holds. */
async function opened(file: Promise<OperatorFile>): Promise<readonly [string, string]> {
  const { bytes, path } = await file;
  const text = new TextDecoder().decode(await bytes.slice(0, bytes.byteLength));
  bytes.close?.();
  return [path, text];
}

Deno.test("operatorFiles() opens a file, and for a folder the checkpoint in it", async () => {
  await withModels(async (open) => {
    const paths = [
      "whole/model.safetensors",
      "whole/config.json",
      "whole",
      "whole/",
      "sharded",
      "adapter",
    ];
    assertEquals(await Promise.all(paths.map((path) => opened(open(path)))), [
      ["whole/model.safetensors", "model.safetensors"],
      ["whole/config.json", "config.json"],
      ["whole/model.safetensors", "model.safetensors"],
      ["whole/model.safetensors", "model.safetensors"],
      ["sharded/model.safetensors.index.json", "model.safetensors.index.json"],
      ["adapter/adapter_model.safetensors", "adapter_model.safetensors"],
    ]);
  });
});

Deno.test("operatorFiles() says what is not there, with the nearest name of the same folder", async () => {
  await withModels(async (open) => {
    const details: Record<string, string> = {
      "whole/model.safetensor": 'it does not exist, did you mean "model.safetensors"',
      "whol": 'it does not exist, did you mean "whole"',
      "nowhere/model.safetensors": "it does not exist",
      "empty": "the folder has neither model.safetensors nor model.safetensors.index.json nor " +
        "adapter_model.safetensors",
    };
    for (const [path, reason] of Object.entries(details)) {
      const { kind, message } = await caughtProblem(() => open(path));
      assertEquals(kind, "not-found");
      assertEquals(message, `Cannot read the file as ${reason}: current value is ${path}`);
    }
  });
});

Deno.test("operatorFiles() tells nothing of what lies outside the folder", async () => {
  await withModels(async (open) => {
    const refused: Record<string, string> = {
      "../secret.safetensors": "../secret.safetensors",
      "out/secret.safetensors": "out/secret.safetensors",
      "linked": "linked/model.safetensors",
      "..": "..",
    };
    for (const [path, told] of Object.entries(refused)) {
      const { kind, message } = await caughtProblem(() => open(path));
      assertEquals(kind, "forbidden-source", path);
      assertEquals(
        message,
        `Cannot read the file as it lies outside the operator's folder: current value is ${told}`,
      );
    }
    for (const path of ["../secret.safetensor", "out/secret.safetensor"]) {
      const { kind, message } = await caughtProblem(() => open(path));
      assertEquals(kind, "not-found");
      assertEquals(message, `Cannot read the file as it does not exist: current value is ${path}`);
    }
  });
});
