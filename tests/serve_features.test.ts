import { assert, assertEquals } from "@std/assert";
import { EXAMPLES, STORED_EXAMPLES } from "../routes/table/examples.ts";
import {
  exampleRequest,
  learn,
  type Learned,
  readExampleFile,
} from "./support/example_requests.ts";
import { type Serving, startServing } from "./support/serving.ts";

const FIXTURES = new URL("../fixtures/", import.meta.url);

/** A request and the status that it must get. */
type Call = readonly [name: string, path: string, body: FormData, status: number];

function form(
  part: string,
  document: Readonly<Record<string, unknown>>,
  files: Readonly<Record<string, string>>,
): FormData {
  const body = new FormData();
  body.append(part, new Blob([JSON.stringify(document)], { type: "application/yaml" }), part);
  for (const [name, file] of Object.entries(files)) {
    body.append(name, new Blob([Deno.readFileSync(new URL(file, FIXTURES))]), file);
  }
  return body;
}

const merging = { base: "digits/base.safetensors", left: "digits/left.safetensors" };
const method = { merge_method: "task_arithmetic", base_model: "base" };
const recipe = { ...method, models: [{ model: "left" }] };

/** What reads its bytes by code of its own: every kind of file and of engine. */
const CALLS: readonly Call[] = [
  ["shards", "/merge", form("recipe", { ...recipe, output: { shard_size: "4KB" } }, merging), 200],
  ["matrices", "/merge", form("recipe", { ...recipe, merge_method: "tsv_m" }, merging), 200],
  [
    "a graph",
    "/merge",
    form("recipe", { ...method, models: [], output: { format: "onnx" } }, {
      base: "digits/digits.onnx",
    }),
    200,
  ],
  // Rows that need their packages' decoders are read before they are found to have the wrong columns.
  ...["stored.npz", "deflated.npz", "brotli.parquet", "gzip.parquet", "lz4.parquet", "zstd.parquet"]
    .map((shard): Call => [
      shard,
      "/evaluate",
      form("request", {
        model: "net",
        checkpoints: ["net"],
        tasks: [{ name: "t", shard: "rows", inputs: { x: "absent" }, target: "absent" }],
      }, { net: "digits/digits.onnx", rows: `shards/${shard}` }),
      422,
    ]),
];

async function examples(origin: string): Promise<string[]> {
  for (const file of Object.values(STORED_EXAMPLES)) {
    const body = await readExampleFile(file);
    await (await fetch(`${origin}/checkpoints`, { method: "POST", body })).body?.cancel();
  }
  const learned: Learned = new Map();
  const wrong: string[] = [];
  for (const example of EXAMPLES) {
    const answer = await fetch(
      await exampleRequest(example, learned, origin, "application/yaml"),
    );
    learn(learned, answer);
    const text = await answer.text();
    if (answer.status !== example.status) {
      wrong.push(`${example.operation} ${example.name}: ${answer.status} ${text.slice(0, 300)}`);
    }
  }
  return wrong;
}

async function stopped(service: Serving): Promise<string> {
  service.signal("SIGTERM");
  const { code, log } = await service.ended;
  assertEquals(code, 0, log);
  return log;
}

Deno.test("everything works with the serve task's permissions, and documents may be YAML", async () => {
  const service = await startServing({ AMALGAM_DATA: "memory:" });
  const wrong = await examples(service.origin);
  for (const [name, path, body, status] of CALLS) {
    const answer = await fetch(`${service.origin}${path}`, { method: "POST", body });
    const text = await answer.text();
    if (answer.status !== status) wrong.push(`${name}: ${answer.status} ${text.slice(0, 300)}`);
  }
  const log = await stopped(service);
  assertEquals(wrong, [], log);
  assert(!log.includes("NotCapable"), log);
});
