/**
 * The answer `output.format: "peft"`: an archive of the two files that PEFT reads.
 *
 * @module
 */
import type { Bytes } from "../checkpoint/byte_source.ts";
import { writeZip, type ZipFile, zipLength } from "../checkpoint/write_zip.ts";
import { invalidRecipe, show } from "../merge/faults.ts";
import type { MergeOutput } from "../merge/merge_output.ts";
import type { Plan } from "../merge/plan_types.ts";
import { CONFIG_FILE, CONFIG_KEY } from "./config_json.ts";

/** Name of an adapter's file. */
export const ADAPTER_FILE = "adapter_model.safetensors";

/**
 * Lays out the archive.
 *
 * @throws {Problem} `invalid-recipe` if the result is no adapter.
 */
export function adapterOutput(plan: Plan): MergeOutput {
  if (plan.kind !== "adapter") {
    throw invalidRecipe([{
      path: "output.format",
      message:
        `Cannot write the result as peft as it must be an adapter, as of lora_cat and lora_svd: ` +
        `current value is ${show(plan.kind)} of ${plan.method}`,
    }]);
  }
  const config = new TextEncoder().encode(plan.metadata[CONFIG_KEY] ?? "");
  const filesOf = (merged?: AsyncGenerator<Bytes>): ZipFile[] => [
    {
      name: CONFIG_FILE,
      byteLength: config.length,
      async *content() {
        yield config;
      },
    },
    {
      name: ADAPTER_FILE,
      byteLength: plan.bytesOut,
      async *content() {
        if (merged) yield* merged;
      },
    },
  ];
  return {
    byteLength: zipLength(filesOf()),
    mediaType: "application/zip",
    extension: ".zip",
    memory: 0,
    warnings: [],
    tensors: "within",
    frame: (merged) => writeZip(filesOf(merged)),
    files: [CONFIG_FILE, ADAPTER_FILE],
    async send(merged, take) {
      for (const file of filesOf(merged)) await take(file);
    },
  };
}
