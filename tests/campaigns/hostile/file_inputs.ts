/**
 * Hostile files: safetensors, ONNX, npz, Parquet, adapters.
 *
 * @module
 */
import fc from "fast-check";
import { safetensorsBytes } from "../../support/safetensors_bytes.ts";
import { bytesField, messageOf, modelBytes, numberField } from "../../support/onnx_bytes.ts";
import {
  rows,
  safetensorsOf,
  smallModel,
  smallRequest,
  smallUploads,
  weights,
} from "../../support/small_model.ts";
import {
  EDGES,
  form,
  type HostileInput,
  type Inputs,
  joined,
  NAMES,
  posted,
  spoiled,
  strange,
} from "./hostile_input.ts";

type Bytes = Uint8Array<ArrayBuffer>;

const BYTES = "application/octet-stream";
const GOOD = safetensorsOf(weights(1));
const RECIPE = {
  merge_method: "task_arithmetic",
  base_model: "base",
  models: [{ model: "model", parameters: { weight: 0.5 } }],
};
const fixtures = (folder: string, ending: RegExp): Bytes[] => {
  const url = new URL(`../../../fixtures/${folder}/`, import.meta.url);
  const names = [...Deno.readDirSync(url)].map(({ name }) => name).filter((name) =>
    ending.test(name)
  );
  return names.sort().map((name) => Deno.readFileSync(new URL(name, url)));
};

/** Sends a file where files are read: to the store, as an input of a merge, or of its plan. */
function sent(file: fc.Arbitrary<Bytes>): Inputs {
  return fc.record({ file, where: fc.nat(4) }).map(({ file, where }) => {
    if (where < 2) return posted("/checkpoints", BYTES, file);
    const path = where === 2 ? "/plan" : "/merge";
    const files = where === 4 ? { base: file, model: GOOD } : { base: GOOD, model: file };
    return form(path, "recipe", RECIPE, files);
  });
}

/** Entries of a header, right and wrong. */
const offset = fc.oneof(
  fc.nat(64),
  fc.integer({ min: -4, max: 200 }),
  fc.constantFrom(...EDGES.map(Number), -1, 1.5, 1e400),
  strange,
);
const entry = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      dtype: fc.oneof(
        fc.constantFrom("F32", "BF16", "F16", "F64", "I64", "U8", "BOOL", "F8_E4M3", "F4", "f32"),
        strange,
      ),
      shape: fc.oneof(fc.array(offset, { maxLength: 5 }), strange),
      data_offsets: fc.oneof(fc.array(offset, { minLength: 2, maxLength: 2 }), strange),
    }, { requiredKeys: [] }),
  },
  { weight: 1, arbitrary: strange },
);
const tensorName = fc.oneof(
  fc.constantFrom("w", "b", "layer.0.weight", "__metadata__", ...NAMES),
  fc.string({ unit: "binary", maxLength: 12 }),
);
const headerText = fc.array(fc.tuple(tensorName, entry), { maxLength: 6 }).map((entries) =>
  // By hand, as an object keeps no key twice.
  `{${
    entries.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join(",")
  }}`
);
const oddText = fc.oneof(
  headerText,
  headerText.map((text) => text.replace(/\d+/, "1e400")),
  headerText.map((text) => text.replace(/\d+/, "9".repeat(400))),
  headerText.map((text) => text.slice(0, -1)),
  headerText.map((text) => `${text}${text}`),
  headerText.map((text) => `\ufeff${text}   `),
  fc.nat(20_000).map((depth) => `${"[".repeat(depth)}${"]".repeat(depth)}`),
  fc.nat(20_000).map((depth) => `${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`),
  fc.nat(20_000).map((depth) => '{"w":'.repeat(depth)),
  fc.string({ unit: "binary", maxLength: 200 }),
);
/** Safetensors files: spoiled ones, made-up headers, headers that are none, lengths that lie. */
export const safetensorsInputs: Inputs = sent(fc.oneof(
  { weight: 4, arbitrary: spoiled([GOOD, rows(8), ...fixtures("corpus", /safetensors$/)]) },
  {
    weight: 4,
    arbitrary: fc.tuple(oddText, fc.nat(300)).map(([text, data]) => safetensorsBytes(text, data)),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(oddText, fc.nat(64), fc.constantFrom(...EDGES)).map((
      [text, data, length],
    ) => safetensorsBytes(text, data, length)),
  },
  {
    weight: 1,
    arbitrary: fc.uint8Array({ maxLength: 300 }).map((bytes) =>
      safetensorsBytes(new Uint8Array(bytes), 20)
    ),
  },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 300 }).map((bytes) => new Uint8Array(bytes)) },
));

/** Messages of the wire format without any meaning, nested. */
const anyMessage: fc.Arbitrary<Bytes> = fc.letrec<{ message: Bytes }>((tie) => ({
  message: fc.array(
    fc.oneof(
      { depthSize: "small", maxDepth: 5 },
      fc.tuple(fc.integer({ min: 1, max: 25 }), fc.constantFrom(...EDGES.slice(0, 13))).map(
        ([field, value]) => numberField(field, value),
      ),
      fc.tuple(fc.integer({ min: 1, max: 25 }), fc.uint8Array({ maxLength: 20 })).map(
        ([field, value]) => bytesField(field, value),
      ),
      fc.tuple(fc.integer({ min: 1, max: 25 }), tie("message")).map(
        ([field, value]) => bytesField(field, value),
      ),
    ),
    { maxLength: 6 },
  ).map((fields) => messageOf(fields)),
})).message;

/** A graph in an attribute of a node of a graph, and so on. */
function deepGraphs(depth: number): Bytes {
  let graph: Uint8Array = messageOf([]);
  for (let i = 0; i < depth; i++) {
    graph = messageOf([bytesField(1, [bytesField(5, [bytesField(6, graph), numberField(20, 5)])])]);
  }
  return messageOf([numberField(1, 8), bytesField(7, graph)]);
}

const MODELS = [smallModel(), modelBytes([])];
const onnxFile: fc.Arbitrary<Bytes> = fc.oneof(
  { weight: 6, arbitrary: spoiled(MODELS) },
  {
    weight: 3,
    arbitrary: anyMessage.map((graph) => messageOf([numberField(1, 8), bytesField(7, graph)])),
  },
  { weight: 2, arbitrary: anyMessage.map((bytes) => joined([MODELS[1]!, bytes])) },
  { weight: 1, arbitrary: fc.nat(150).map(deepGraphs) },
);
/** ONNX files: as inputs of merges, as graphs that are tuned or differentiated. */
export const onnxInputs: Inputs = fc.oneof(
  { weight: 2, arbitrary: sent(onnxFile) },
  {
    weight: 2,
    arbitrary: onnxFile.map((net) => {
      const { start: _, ...request } = smallRequest() as Record<string, unknown>;
      const { shard: _1, ...task } = request.task as Record<string, unknown>;
      return form("/training-graph", "request", { ...request, task }, { net });
    }),
  },
  { weight: 1, arbitrary: onnxFile.map((net) => tuned({ net })) },
);

function tuned(changes: Record<string, Bytes>): HostileInput {
  const request = smallRequest({ local: { epochs: 1 } });
  return form("/tune", "request", request, { ...Object.fromEntries(smallUploads()), ...changes });
}

const SHARDS = fixtures("shards", /\.(npz|parquet)$/);
const shard = spoiled([...SHARDS, rows(12)]);
/** Shards of data: to the store, and as rows that are tuned on. */
export const shardInputs: Inputs = fc.oneof(
  { weight: 3, arbitrary: shard.map((file) => posted("/checkpoints", BYTES, file)) },
  { weight: 1, arbitrary: shard.map((file) => tuned({ rows: file })) },
);
